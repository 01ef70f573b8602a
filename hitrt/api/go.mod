module github.com/naver/scavenger/scavenger-wrap/hitrt/api

go 1.24
