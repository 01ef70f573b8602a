// Package cart is what the example has to call, and not to call.
package cart

// A Cart holds prices.
type Cart struct{ prices []int }

// Add puts something into the cart.
func (c *Cart) Add(price int) { c.prices = append(c.prices, price) }

// Total is the sum of the prices.
func (c *Cart) Total() int {
	sum := 0
	for _, p := range c.prices {
		sum += p
	}
	return sum
}

// Clear is what nobody calls.
func (c *Cart) Clear() { c.prices = nil }
