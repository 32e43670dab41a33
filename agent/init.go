package agent

import (
	"context"
	"fmt"
	"os"
	"syscall"
)

// Init is what the first process of a container does: it runs this program
// with the same arguments as its child, which is the agent, and reaps whatever
// else ends. Orphans become the first process's children, and the agent's own
// never do while it lives, so that nobody takes their status away. Init returns
// when the agent has ended, and everything in the container ends with it. When
// ctx is done the agent is terminated.
func Init(ctx context.Context) error {
	path, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find fallacy's own binary: %w", err)
	}
	child, err := os.StartProcess(path, os.Args, &os.ProcAttr{Files: []*os.File{os.Stdin, os.Stdout, os.Stderr}})
	if err != nil {
		return fmt.Errorf("start the agent: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { _ = syscall.Kill(child.Pid, syscall.SIGTERM) })
	defer stop()
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, 0, nil)
		switch {
		case err == syscall.EINTR:
		case err != nil:
			return fmt.Errorf("wait for the agent: %w", err)
		case pid == child.Pid && status.ExitStatus() == 0:
			return nil
		case pid == child.Pid:
			return fmt.Errorf("the agent ended: status %#x", uint32(status))
		}
	}
}
