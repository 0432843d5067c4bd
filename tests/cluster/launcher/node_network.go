package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	// hostLink is this machine's end of the nodes' network; its routes end with it.
	hostLink = "vas-nodes"
	// nodeBridge joins the nodes; it stands in the first one's namespace.
	nodeBridge = "nodes"
)

// connectNodes lays the network of the nodes: a bridge, on it a link to the
// machine and one to each node, and routes to pods and Services.
func connectNodes(ctx context.Context, nodes []realNode, holders []*process) error {
	first := holders[0].command.Process.Pid
	commands := [][]string{
		{"ip", "link", "add", hostLink, "type", "veth", "peer", "name", "host", "netns", strconv.Itoa(first)},
		{"ip", "address", "add", hostAddress + "/24", "dev", hostLink},
		{"ip", "link", "set", hostLink, "up"},
		inNet(first, "ip", "link", "add", nodeBridge, "type", "bridge"),
		inNet(first, "ip", "link", "set", "host", "master", nodeBridge, "up"),
		inNet(first, "ip", "address", "add", nodes[0].address()+"/24", "dev", nodeBridge),
		inNet(first, "ip", "link", "set", nodeBridge, "up"),
		{"ip", "route", "add", serviceRange, "via", nodes[0].address(), "dev", hostLink},
	}
	for i, n := range nodes {
		pid := holders[i].command.Process.Pid
		commands = append(commands, []string{"ip", "route", "add", n.pods(), "via", n.address(), "dev", hostLink},
			inNet(pid, "ip", "link", "set", "lo", "up"))
		if i > 0 {
			commands = append(commands,
				inNet(first, "ip", "link", "add", n.name(), "type", "veth", "peer", "name", nodeBridge, "netns", strconv.Itoa(pid)),
				inNet(first, "ip", "link", "set", n.name(), "master", nodeBridge, "up"),
				inNet(pid, "ip", "address", "add", n.address()+"/24", "dev", nodeBridge),
				inNet(pid, "ip", "link", "set", nodeBridge, "up"))
		}
		for _, other := range nodes {
			if other.index != n.index {
				commands = append(commands, inNet(pid, "ip", "route", "add", other.pods(), "via", other.address()))
			}
		}
		// A default route, for kube-proxy and the kubelet look for one. It leads to this machine, which forwards nothing.
		commands = append(commands, inNet(pid, "ip", "route", "add", "default", "via", hostAddress))
		for _, setting := range []string{"ipv4/ip_forward", "bridge/bridge-nf-call-iptables"} {
			commands = append(commands, inNet(pid, "sh", "-c", "echo 1 > /proc/sys/net/"+setting))
		}
	}
	for _, command := range commands {
		if output, err := exec.CommandContext(ctx, command[0], command[1:]...).CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w: %s", strings.Join(command, " "), err, strings.TrimSpace(string(output)))
		}
	}
	return nil
}

// inNet runs a command in a node's network, with the machine's processes and files.
func inNet(pid int, command ...string) []string {
	return append([]string{"nsenter", fmt.Sprintf("--net=/proc/%d/ns/net", pid)}, command...)
}

// onlyOne makes sure that no other cluster with real nodes runs on this machine,
// until the listener is closed, which the end of the process does too.
func onlyOne(ctx context.Context) (net.Listener, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second) // one may be ending
	defer cancel()
	var held net.Listener
	err := eventually(ctx, "another cluster to end", func(context.Context) (listens bool, err error) {
		held, err = net.Listen("unix", "@"+hostLink)
		return err == nil, err
	})
	if err != nil {
		return nil, fmt.Errorf("a cluster with real nodes runs on this machine already; there can be one: %w", err)
	}
	return held, nil
}

// removeLink takes this machine's end away. The kernel does that too, but only
// when the last connection of the nodes has timed out.
func removeLink() error {
	if _, err := os.Stat("/sys/class/net/" + hostLink); os.IsNotExist(err) {
		return nil
	}
	if output, err := exec.Command("ip", "link", "delete", hostLink).CombinedOutput(); err != nil {
		return fmt.Errorf("link %s: %w: %s", hostLink, err, strings.TrimSpace(string(output)))
	}
	return nil
}

// forwardAPI leads the nodes and their pods to the API server, which listens on
// 127.0.0.1 alone, until the context ends.
func forwardAPI(ctx context.Context, port int) error {
	listener, err := net.Listen("tcp", net.JoinHostPort(hostAddress, strconv.Itoa(apiPort)))
	if err != nil {
		return fmt.Errorf("the API server's address for pods: %w", err)
	}
	go func() {
		<-ctx.Done()
		listener.Close()
	}()
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go forward(client, net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		}
	}()
	return nil
}

func forward(client net.Conn, address string) {
	defer client.Close()
	server, err := net.DialTimeout("tcp", address, 5*time.Second)
	if err != nil {
		return
	}
	defer server.Close()
	var both sync.WaitGroup
	both.Add(2)
	oneWay := func(to, from net.Conn) {
		defer both.Done()
		_, _ = io.Copy(to, from)
		if half, ok := to.(*net.TCPConn); ok {
			_ = half.CloseWrite()
		}
	}
	go oneWay(server, client)
	go oneWay(client, server)
	both.Wait()
}
