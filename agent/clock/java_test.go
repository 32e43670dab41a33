//go:build linux && amd64

package clock

import "encoding/binary"

// constants is the constant pool of a Java class in the making.
type constants struct {
	bytes []byte
	count uint16
}

func (c *constants) add(tag byte, body ...byte) uint16 {
	c.bytes = append(append(c.bytes, tag), body...)
	c.count++
	return c.count
}

func u16(values ...uint16) []byte {
	var b []byte
	for _, v := range values {
		b = binary.BigEndian.AppendUint16(b, v)
	}
	return b
}

func (c *constants) text(s string) uint16 { return c.add(1, append(u16(uint16(len(s))), s...)...) }

func (c *constants) class(name string) uint16 { return c.add(7, u16(c.text(name))...) }

// member is a reference to a field (tag 9) or method (tag 10).
func (c *constants) member(tag byte, class, name, kind string) uint16 {
	return c.add(tag, u16(c.class(class), c.add(12, u16(c.text(name), c.text(kind))...))...)
}

// clocksClass is what a Java compiler makes of
//
//	class Clocks { public static void main(String[] args) throws IOException {
//		while (System.in.read() >= 0) {
//			new byte[1 << 14]; // for the collector
//			System.out.println(System.currentTimeMillis() * 1000000);
//			System.out.println(System.nanoTime());
//		}
//	} }
//
// as machines that run Java programs do not always have a compiler. Of a version
// that needs no types to be written down for branches.
func clocksClass() []byte {
	c := &constants{}
	self, object := c.class("Clocks"), c.class("java/lang/Object")
	const field, method = 9, 10
	in := c.member(field, "java/lang/System", "in", "Ljava/io/InputStream;")
	out := c.member(field, "java/lang/System", "out", "Ljava/io/PrintStream;")
	read := c.member(method, "java/io/InputStream", "read", "()I")
	println := c.member(method, "java/io/PrintStream", "println", "(J)V")
	millis := c.member(method, "java/lang/System", "currentTimeMillis", "()J")
	nanos := c.member(method, "java/lang/System", "nanoTime", "()J")
	million := c.add(3, 0, 0x0f, 0x42, 0x40)
	main, kind, code := c.text("main"), c.text("([Ljava/lang/String;)V"), c.text("Code")

	const getstatic, invokevirtual, invokestatic = 0xb2, 0xb6, 0xb8
	var b []byte
	do := func(op byte, arg uint16) { b = append(append(b, op), u16(arg)...) }
	do(getstatic, in)
	do(invokevirtual, read)
	end := len(b)
	do(0x9b, 0)                              // iflt, filled in below
	do(0x11, 1<<14)                          // sipush
	b = append(b, 0xbc, 8, 0x57)             // newarray byte, pop
	do(getstatic, out)                       //
	do(invokestatic, millis)                 //
	do(0x13, million)                        // ldc_w
	b = append(b, 0x85, 0x69)                // i2l, lmul
	do(invokevirtual, println)               //
	do(getstatic, out)                       //
	do(invokestatic, nanos)                  //
	do(invokevirtual, println)               //
	do(0xa7, uint16(-len(b)&0xffff))         // goto the start
	copy(b[end+1:], u16(uint16(len(b)-end))) // iflt to the end
	b = append(b, 0xb1)                      // return

	class := append([]byte{0xca, 0xfe, 0xba, 0xbe}, u16(0, 49, c.count+1)...)
	class = append(class, c.bytes...)
	class = append(class, u16(0x20, self, object, 0, 0, 1)...) // no interfaces, no fields, one method
	class = append(class, u16(0x9, main, kind, 1, code)...)    // public static
	class = binary.BigEndian.AppendUint32(class, uint32(12+len(b)))
	class = append(class, u16(5, 1)...) // stack, locals
	class = binary.BigEndian.AppendUint32(class, uint32(len(b)))
	class = append(class, b...)
	return append(class, u16(0, 0, 0)...) // no handlers, no attributes of the code nor of the class
}
