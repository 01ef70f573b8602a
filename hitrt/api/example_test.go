package api_test

import (
	"context"
	"log"
	"os"
	"time"

	"github.com/naver/scavenger/scavenger-wrap/hitrt/api"
)

// A program that knows only when it runs where its hits go. docs/api.md has it too.
func ExampleStart() {
	// What was called before counts too.
	err := api.Start(api.Config{
		ServerURL: os.Getenv("COLLECTOR"),
		APIKey:    os.Getenv("COLLECTOR_KEY"),
		AppName:   "nightly",
		DataDir:   "data",
	})
	if err != nil {
		log.Print(err) // the program runs as it would without
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	// A return from main would do that too, but not for a program that Start started.
	defer api.Shutdown(ctx)

	job()
	if err := api.Flush(ctx); err != nil {
		log.Print(err) // it is still pending, and written or sent later
	}
}

func job() {}

// A job has its hits sent before it reports that it is done.
func ExampleFlush() {
	job()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := api.Flush(ctx); err != nil {
		log.Print(err) // the hits are still pending, and sent later
	}
	report("done")
	// Output: done
}

func report(status string) { os.Stdout.WriteString(status + "\n") }
