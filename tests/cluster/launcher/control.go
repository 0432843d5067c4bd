package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// longestSocketPath is a little less than what a socket address can hold.
const longestSocketPath = 100

// serveControl listens for `cluster stop` and its like: one line in, the
// answer out. The last line of an answer is "ok" or "error: ...".
func (c *cluster) serveControl(ctx context.Context, p paths) (func(), error) {
	directory := p.dir
	if len(filepath.Join(directory, "control.sock")) > longestSocketPath {
		short, err := os.MkdirTemp("", "vas-cluster-")
		if err != nil {
			return nil, err
		}
		directory = short
	}
	socket := filepath.Join(directory, "control.sock")
	// Left over by a launcher that was killed; we hold the directory's lock.
	if err := os.Remove(socket); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	listener, err := net.Listen("unix", socket)
	if err != nil {
		return nil, fmt.Errorf("control socket: %w", err)
	}
	if err := writeFile(p.controlPath(), []byte(socket+"\n"), private); err != nil {
		return nil, err
	}
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go c.answer(ctx, connection)
		}
	}()
	return func() {
		listener.Close()
		os.Remove(p.controlPath())
		if directory != p.dir {
			os.Remove(directory)
		}
	}, nil
}

func (c *cluster) answer(ctx context.Context, connection net.Conn) {
	defer connection.Close()
	line, err := bufio.NewReader(io.LimitReader(connection, 4096)).ReadString('\n')
	if err != nil {
		return
	}
	if err := c.obey(ctx, strings.Fields(line), connection); err != nil {
		fmt.Fprintf(connection, "error: %v\n", err)
		return
	}
	fmt.Fprintln(connection, "ok")
}

func (c *cluster) obey(ctx context.Context, words []string, out io.Writer) error {
	switch {
	case len(words) == 1 && words[0] == "down":
		c.quit()
		return nil
	case len(words) == 1 && words[0] == "status":
		for _, name := range c.all() {
			part, _ := c.part(name)
			fmt.Fprintln(out, part.describe())
		}
		return nil
	case len(words) > 1 && words[0] == "load":
		return c.load(ctx, words[1:])
	case len(words) != 2:
		return fmt.Errorf("needs one component, one of %s", strings.Join(c.all(), ", "))
	}
	part, ok := c.part(words[1])
	if !ok {
		return fmt.Errorf("no component %q, there are %s", words[1], strings.Join(c.all(), ", "))
	}
	switch words[0] {
	case "stop":
		part.end(stopGrace)
	case "kill":
		part.end(0)
	case "start":
		return part.start(ctx)
	case "pause":
		return part.signal(syscall.SIGSTOP)
	case "resume":
		return part.signal(syscall.SIGCONT)
	default:
		return fmt.Errorf("no command %q", words[0])
	}
	return nil
}

// control sends one line to the cluster of a directory and returns what it
// answered before its "ok".
func control(p paths, line string) (string, error) {
	content, err := os.ReadFile(p.controlPath())
	if errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("no cluster runs in %s", p.dir)
	}
	if err != nil {
		return "", err
	}
	connection, err := net.DialTimeout("unix", strings.TrimSpace(string(content)), 5*time.Second)
	if err != nil {
		return "", fmt.Errorf("no cluster runs in %s: %w", p.dir, err)
	}
	defer connection.Close()
	if err := connection.SetDeadline(time.Now().Add(2 * readyLimit)); err != nil {
		return "", err
	}
	if _, err := fmt.Fprintln(connection, line); err != nil {
		return "", err
	}
	answer, err := io.ReadAll(connection)
	if err != nil {
		return "", err
	}
	return parseAnswer(string(answer))
}

// parseAnswer splits an answer into its text and its result. An error can have
// several lines, since it quotes logs.
func parseAnswer(answer string) (string, error) {
	if text, message, found := strings.Cut("\n"+answer, "\nerror: "); found {
		return strings.TrimPrefix(text, "\n"), errors.New(strings.TrimRight(message, "\n"))
	}
	text, found := strings.CutSuffix(answer, "ok\n")
	if !found {
		return answer, errors.New("the launcher ended without an answer")
	}
	return text, nil
}

func sendControl(p paths, command string, rest []string) error {
	text, err := control(p, strings.Join(append([]string{command}, rest...), " "))
	fmt.Print(text)
	return err
}
