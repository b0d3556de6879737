/* a0 in hexadecimal digits, and the end of a line. For programs in assembly: UART is
 * its address, and is in t0 afterwards, the end of a line in t2. */
print:
	li t0, UART
	li t1, 60
1:	srl t2, a0, t1
	andi t2, t2, 15
	addi t2, t2, '0'
	li t3, '9'
	ble t2, t3, 2f
	addi t2, t2, 'a' - '9' - 1
2:	sb t2, 0(t0)
	addi t1, t1, -4
	bgez t1, 1b
	li t2, '\n'
	sb t2, 0(t0)
	ret
