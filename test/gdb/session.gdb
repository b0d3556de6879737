# The suite gdb: each command's effect is looked for in what gdb prints.
set pagination off
set confirm off
set width 0
break main
continue
next
print n
break add
continue
backtrace
info threads
finish
step
print total
set var total = 1000
delete
handle SIGUSR1 stop print
continue
print $_siginfo.si_signo
stepi
info auxv
continue
