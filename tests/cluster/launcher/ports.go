package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
)

// Ports are taken from below the range the kernel uses for outgoing
// connections (32768 and up on Linux), so that no client of another program
// sits on one between the moment it is chosen and the moment it is bound.
const (
	firstPort = 20000
	lastPort  = 29999
)

// portUsers are those that listen; etcd does twice.
var portUsers = []string{
	"kube-apiserver", "etcd", "etcd-peer", "kube-controller-manager",
	"kube-scheduler", "kwok", "metrics-server",
}

// choosePorts gives every listener a port: the one of the cluster's last run
// if it is still free, so that kubeconfigs handed out before go on working.
func choosePorts(path string) (map[string]int, error) {
	previous := map[string]int{}
	content, err := os.ReadFile(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
	case err != nil:
		return nil, err
	default:
		if err := json.Unmarshal(content, &previous); err != nil {
			return nil, fmt.Errorf("%s: %w (remove the file to choose new ports)", path, err)
		}
	}

	chosen := map[string]int{}
	var held []net.Listener // until all are chosen, so that no two are the same
	defer func() {
		for _, listener := range held {
			listener.Close()
		}
	}()
	for _, user := range portUsers {
		listener, port, err := freePort(previous[user])
		if err != nil {
			return nil, fmt.Errorf("no port for %s: %w", user, err)
		}
		held = append(held, listener)
		chosen[user] = port
	}
	if content, err = json.MarshalIndent(chosen, "", "  "); err != nil {
		return nil, err
	}
	return chosen, writeFile(path, append(content, '\n'), private)
}

// freePort listens on the preferred port, or else on a random one.
func freePort(preferred int) (net.Listener, int, error) {
	if preferred > 0 {
		if listener, err := listen(preferred); err == nil {
			return listener, preferred, nil
		}
	}
	var last error
	for range 200 {
		port := firstPort + rand.IntN(lastPort-firstPort+1)
		listener, err := listen(port)
		if err == nil {
			return listener, port, nil
		}
		last = err
	}
	return nil, 0, last
}

func listen(port int) (net.Listener, error) {
	return net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
}
