// A GOCACHEPROG for the measurements: it serves a directory that has the layout of the go
// command's own cache, as a machine before this one has left it.

package main

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// A cacheRequest is what the go command sends, with the body of a put behind it.
type cacheRequest struct {
	ID                 int64
	Command            string
	ActionID, OutputID []byte
	BodySize           int64
}

type cacheResponse struct {
	ID            int64
	KnownCommands []string `json:",omitempty"`
	Miss          bool     `json:",omitempty"`
	OutputID      []byte   `json:",omitempty"`
	Size          int64    `json:",omitempty"`
	DiskPath      string   `json:",omitempty"`
}

// cacheProg answers a go command until that has no more requests.
func cacheProg(store string, requests io.Reader, answers io.Writer) error {
	in, out := json.NewDecoder(bufio.NewReader(requests)), json.NewEncoder(answers)
	if err := out.Encode(cacheResponse{KnownCommands: []string{"get", "put", "close"}}); err != nil {
		return err
	}
	for {
		var r cacheRequest
		if err := in.Decode(&r); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		answer := cacheResponse{ID: r.ID}
		switch r.Command {
		case "get":
			answer = cacheGet(store, r)
		case "put":
			var body []byte // base64 in a string, as JSON has it
			if r.BodySize > 0 {
				if err := in.Decode(&body); err != nil {
					return err
				}
			}
			var err error
			if answer.DiskPath, err = cachePut(store, r, body); err != nil {
				return err
			}
		}
		if err := out.Encode(answer); err != nil {
			return err
		}
	}
}

// cacheFile returns the path of a file of the cache: kind is a for an action, d for data.
func cacheFile(store string, id []byte, kind string) string {
	name := hex.EncodeToString(id)
	return filepath.Join(store, name[:2], name+"-"+kind)
}

func cacheGet(store string, r cacheRequest) cacheResponse {
	text, _ := os.ReadFile(cacheFile(store, r.ActionID, "a")) // v1 action output size time
	if f := strings.Fields(string(text)); len(f) == 5 {
		output, err := hex.DecodeString(f[2])
		size, sizeErr := strconv.ParseInt(f[3], 10, 64)
		if err == nil && sizeErr == nil {
			path := cacheFile(store, output, "d")
			if info, err := os.Stat(path); err == nil && info.Size() == size {
				return cacheResponse{ID: r.ID, OutputID: output, Size: size, DiskPath: path}
			}
		}
	}
	return cacheResponse{ID: r.ID, Miss: true}
}

func cachePut(store string, r cacheRequest, body []byte) (path string, err error) {
	path = cacheFile(store, r.OutputID, "d")
	entry := fmt.Sprintf("v1 %x %x %20d %20d\n", r.ActionID, r.OutputID, len(body), time.Now().UnixNano())
	return path, errors.Join(writeAtOnce(path, body), writeAtOnce(cacheFile(store, r.ActionID, "a"), []byte(entry)))
}

// writeAtOnce writes a file that another one of us may read.
func writeAtOnce(file string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
		return err
	}
	temp, err := os.CreateTemp(filepath.Dir(file), "new-")
	if err != nil {
		return err
	}
	_, err = temp.Write(text)
	return errors.Join(err, temp.Close(), os.Rename(temp.Name(), file))
}
