// The program of all examples. With the argument serve it stays until a signal ends it.
package main

import (
	"fmt"
	"os"
	"time"

	"example.com/app/cart"
)

func main() {
	var c cart.Cart
	c.Add(42)
	fmt.Println("total", c.Total())
	for len(os.Args) > 1 && os.Args[1] == "serve" {
		time.Sleep(time.Second)
	}
}
