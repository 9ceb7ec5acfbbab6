package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Linux counts a process's CPU time in these (USER_HZ, the same on every architecture we run on).
const tick = 10 * time.Millisecond

// Process is the server, as /proc tells of it.
type Process struct{ pid int }

// cpu is user and system time of all its threads.
func (p Process) cpu() (time.Duration, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.pid))
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:])) // the name may hold anything
	ticks := 0
	for _, field := range fields[11:13] { // utime, stime: fields 14 and 15 of proc(5)
		n, err := strconv.Atoi(field)
		if err != nil {
			return 0, err
		}
		ticks += n
	}
	return time.Duration(ticks) * tick, nil
}

// rssPeakMiB is the most memory it ever had resident.
func (p Process) rssPeakMiB() (float64, error) {
	status, err := os.Open(fmt.Sprintf("/proc/%d/status", p.pid))
	if err != nil {
		return 0, err
	}
	defer status.Close()
	for lines := bufio.NewScanner(status); lines.Scan(); {
		var kib float64
		if _, err := fmt.Sscanf(lines.Text(), "VmHWM: %f kB", &kib); err == nil {
			return kib / 1024, nil
		}
	}
	return 0, fmt.Errorf("no VmHWM of process %d", p.pid)
}

// sample is what is known at one moment.
type sample struct {
	at     time.Time
	server time.Duration
	load   time.Duration
	disk   int64
}

func (l *Load) sample() (sample, error) {
	server, err := l.server.cpu()
	if err != nil {
		return sample{}, err
	}
	var own syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &own); err != nil {
		return sample{}, err
	}
	disk, err := bytesOf(l.folder)
	if err != nil {
		return sample{}, err
	}
	return sample{
		at:     time.Now(),
		server: server,
		load:   time.Duration(own.Utime.Nano() + own.Stime.Nano()),
		disk:   disk,
	}, nil
}

// bytesOf adds up what the files of a folder occupy, write-ahead logs and all.
func bytesOf(folder string) (int64, error) {
	total := int64(0)
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		if stat, ok := info.Sys().(*syscall.Stat_t); ok {
			total += stat.Blocks * 512
		}
		return nil
	})
	return total, err
}
