module example.com/app

go 1.24

require github.com/magefile/mage v1.17.2
