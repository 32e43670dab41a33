package packet

import (
	"container/heap"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"github.com/fallacy-dev/fallacy"
	"golang.org/x/sys/unix"
)

// worker reads one queue and lets its packets go when they are due.
type worker struct {
	queue   *queueSocket
	again   *injector // for what arrives twice
	line    line
	event   int // an eventfd: wakes the worker
	ended   chan struct{}
	err     error     // why it ended; to be read then
	inOrder []pending // from first on: those that keep their place
	first   int
	late    lateOnes

	mu   sync.Mutex
	asks []ask
}

// ask is what a worker is to do before it reads on.
type ask struct {
	link fallacy.Link
	stop bool
	done chan struct{} // closed when it has
}

// pending is a packet that is not due yet.
type pending struct {
	due     time.Time
	id      uint32
	content []byte // with a bit flipped; nil: as it came
	twin    []byte // what is to arrive besides
}

// lateOnes is a heap of packets that have lost their place, the first due first.
type lateOnes []pending

func (l lateOnes) Len() int           { return len(l) }
func (l lateOnes) Less(i, j int) bool { return l[i].due.Before(l[j].due) }
func (l lateOnes) Swap(i, j int)      { l[i], l[j] = l[j], l[i] }

// Push is heap.Interface's.
func (l *lateOnes) Push(x any) { *l = append(*l, x.(pending)) }

// Pop is heap.Interface's.
func (l *lateOnes) Pop() any {
	last := (*l)[len(*l)-1]
	*l = (*l)[:len(*l)-1]
	return last
}

// startWorker reads the queue called number on behalf of a line that is open.
// What is to arrive twice is sent again to own, or, if that is invalid, to where
// it was going.
func startWorker(number uint16, own netip.Addr, six bool, chance fallacy.Chance) (*worker, error) {
	q, err := openQueue(number)
	if err != nil {
		return nil, err
	}
	w := &worker{queue: q, line: line{rng: chance.Rand()}}
	if w.again, err = openInjector(own, six); err != nil {
		_ = q.close()
		return nil, err
	}
	if w.event, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		_, _ = q.close(), w.again.close()
		return nil, err
	}
	if err := w.suit(fallacy.Link{}); err != nil {
		_, _, _ = q.close(), w.again.close(), unix.Close(w.event)
		return nil, err
	}
	w.ended = make(chan struct{})
	go func() {
		defer close(w.ended)
		w.err = w.run()
	}()
	return w, nil
}

// set makes l what becomes of packets that arrive from now on.
func (w *worker) set(l fallacy.Link) error { return w.ask(ask{link: l}) }

// ask waits until the worker has done what it is asked for.
func (w *worker) ask(a ask) error {
	a.done = make(chan struct{})
	w.mu.Lock()
	w.asks = append(w.asks, a)
	w.mu.Unlock()
	_, _ = unix.Write(w.event, []byte{1, 0, 0, 0, 0, 0, 0, 0}) // it can only be full, and then wakes as well
	select {
	case <-a.done:
		return nil
	case <-w.ended:
		if w.err == nil {
			return nil // it was to end
		}
		return fmt.Errorf("packet queue %d is not read any more: %w", w.queue.number, w.err)
	}
}

// close lets everything go that waits, and ends the worker.
func (w *worker) close() error {
	err := w.ask(ask{stop: true})
	<-w.ended
	return errors.Join(err, unix.Close(w.event), w.again.close(), w.queue.close())
}

// suit prepares the queue for a link: content is copied only where it is needed.
func (w *worker) suit(l fallacy.Link) error {
	size, bytes := readShort, uint32(20)
	if l.Duplicate > 0 || l.Corrupt > 0 {
		size, bytes = readBytes, 0xffff
	}
	if len(w.queue.buffers) == 0 || len(w.queue.buffers[0]) < size {
		w.queue.room(size)
	}
	w.line.link = l
	return w.queue.copying(bytes, plain(l))
}

// run is the worker's life. After an error the kernel lets the link's packets
// pass: verification shows that.
func (w *worker) run() error {
	fds := []unix.PollFd{{Fd: int32(w.queue.fd), Events: unix.POLLIN}, {Fd: int32(w.event), Events: unix.POLLIN}}
	for {
		if _, err := unix.Ppoll(fds, w.patience(), nil); err != nil && err != unix.EINTR {
			return err
		}
		if fds[1].Revents != 0 {
			if stop, err := w.heed(); stop || err != nil {
				w.release(time.Time{})
				return errors.Join(err, w.queue.flush())
			}
		}
		now := time.Now()
		for range 8 { // then those that are due have waited long enough
			n, err := w.queue.read(func(p waiting) { w.take(now, p) })
			if err != nil {
				return err
			}
			if n < readBulk {
				break
			}
		}
		w.release(time.Now())
		if err := w.queue.flush(); err != nil {
			return err
		}
	}
}

// heed does what was asked for.
func (w *worker) heed() (stop bool, err error) {
	var count [8]byte
	_, _ = unix.Read(w.event, count[:]) // it was woken, or would not be here
	w.mu.Lock()
	asks := w.asks
	w.asks = nil
	w.mu.Unlock()
	for _, a := range asks {
		if stop = stop || a.stop; !a.stop && a.link != w.line.link {
			err = errors.Join(err, w.suit(a.link))
		}
		if err == nil {
			close(a.done)
		}
	}
	if !queued(w.line.link) {
		w.line.last = time.Time{}
		w.release(time.Time{})
	}
	return stop, err
}

// patience is how long nothing is due.
func (w *worker) patience() *unix.Timespec {
	var next time.Time
	if w.first < len(w.inOrder) {
		next = w.inOrder[w.first].due
	}
	if len(w.late) > 0 && (next.IsZero() || w.late[0].due.Before(next)) {
		next = w.late[0].due
	}
	if next.IsZero() {
		return nil
	}
	wait := unix.NsecToTimespec(int64(max(0, time.Until(next))))
	return &wait
}

// take decides about a packet that has arrived.
func (w *worker) take(now time.Time, p waiting) {
	f := w.line.decide(now, p.size)
	if f.lost {
		_ = w.queue.drop(p.id) // the next flush says the same
		return
	}
	one := pending{due: f.arrives, id: p.id}
	if f.corrupt {
		one.content = flip(p.payload, w.line.rng)
	}
	if f.twice {
		one.twin = append([]byte(nil), p.payload...)
	}
	if f.late {
		heap.Push(&w.late, one)
		return
	}
	w.inOrder = append(w.inOrder, one)
}

// release lets go what is due; with no time, everything.
func (w *worker) release(now time.Time) {
	due := func(p pending) bool { return now.IsZero() || !p.due.After(now) }
	for len(w.late) > 0 && due(w.late[0]) {
		w.letGo(heap.Pop(&w.late).(pending))
	}
	from := w.first
	for w.first < len(w.inOrder) && due(w.inOrder[w.first]) {
		w.first++
	}
	ready := w.inOrder[from:w.first]
	if len(ready) > 1 && len(w.late) == 0 && plain(w.line.link) && allPlain(ready) {
		_ = w.queue.acceptUpTo(ready[len(ready)-1].id)
	} else {
		for _, p := range ready {
			w.letGo(p)
		}
	}
	if w.first == len(w.inOrder) || w.first > 4096 {
		w.inOrder = append(w.inOrder[:0], w.inOrder[w.first:]...)
		w.first = 0
	}
}

// allPlain tells whether every packet goes as it came.
func allPlain(all []pending) bool {
	for i := range all {
		if all[i].content != nil || all[i].twin != nil {
			return false
		}
	}
	return true
}

func (w *worker) letGo(p pending) {
	_ = w.queue.accept(p.id, p.content) // the next flush says the same
	if p.twin != nil {
		_ = w.queue.flush() // a twin does not overtake anybody
		w.again.send(p.twin)
	}
}
