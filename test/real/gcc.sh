#!/bin/bash
# gcc and g++: compile, assemble, link, archive, run; exceptions, threads, shared libraries, dlopen, LTO, errors.
# long: 1
# lockstep: 200
cat >a.c <<'END'
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <dlfcn.h>
static atomic_long total; static long plain; static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; static _Thread_local int mine; static jmp_buf env;
static int compare(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }
static void *work(void *arg) { for (int i = 0; i < 20000; i++) { atomic_fetch_add(&total, 1); mine++; pthread_mutex_lock(&lock); plain++; pthread_mutex_unlock(&lock); } return (void *)((long)arg + mine); }
static void handler(int s) { (void)s; siglongjmp(env, 1); }
long twice(long x) __attribute__((weak)); long twice(long x) { return x * 2; }
int main(int argc, char **argv)
{
	int list[1000]; unsigned long h = 5381; pthread_t t[8]; double s = 0; void *r; long sum = 0;
	for (int i = 0; i < 1000; i++) list[i] = (i * 7919) % 1009;
	qsort(list, 1000, sizeof *list, compare); for (int i = 0; i < 1000; i++) h = h * 33 + (unsigned long)list[i];
	for (long i = 0; i < 8; i++) pthread_create(&t[i], NULL, work, (void *)i);
	for (int i = 0; i < 8; i++) { pthread_join(t[i], &r); sum += (long)r; }
	for (int i = 1; i < 2000; i++) s += sin(i) / i + sqrt(i) * 1e-6;
	printf("%lx %ld %ld %ld %.12f %ld %d %s\n", h, (long)total, plain, sum, s, twice(21), argc, argv[1] ? argv[1] : "");
	signal(SIGSEGV, handler); if (!sigsetjmp(env, 1)) *(volatile int *)8 = 1; else puts("caught");
	signal(SIGFPE, handler); char buffer[100]; snprintf(buffer, sizeof buffer, "%Lf %a %zu", 1.25L, 0.5, strlen("four")); puts(buffer);
	void *m = malloc(1 << 20); memset(m, 1, 1 << 20); m = realloc(m, 4 << 20); printf("%d\n", ((char *)m)[1000]); free(m); fflush(stdout); abort();
}
END
cat >a.cc <<'END'
#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <exception>
#include <functional>
#include <future>
#include <iostream>
#include <map>
#include <memory>
#include <mutex>
#include <regex>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>
struct noisy { int n; explicit noisy(int n) : n(n) {} ~noisy() { std::cout << "~" << n << ' '; } };
struct base { virtual ~base() = default; virtual int f() const { return 1; } }; struct derived : base { int f() const override { return 2; } }; struct other : virtual base {};
static int deep(int n) { noisy x(n); if (!n) throw std::out_of_range("deep"); return deep(n - 1) + 1; }
template <typename T> T add(T a, T b) { return a + b; }
int main()
{
	try { deep(5); } catch (const std::logic_error &e) { std::cout << e.what() << '\n'; }
	try { try { throw 42; } catch (int i) { std::throw_with_nested(std::runtime_error("outer " + std::to_string(i))); } } catch (const std::exception &e) { std::cout << e.what(); try { std::rethrow_if_nested(e); } catch (int i) { std::cout << " nested " << i << '\n'; } }
	std::unique_ptr<base> p = std::make_unique<derived>(); std::cout << p->f() << (dynamic_cast<derived *>(p.get()) != nullptr) << (dynamic_cast<other *>(p.get()) != nullptr) << '\n'; try { (void)dynamic_cast<other &>(*p); } catch (const std::bad_cast &) { std::cout << "bad_cast\n"; } try { std::vector<int>().at(3); } catch (const std::exception &) { std::cout << "at\n"; } try { (void)std::stoi("x"); } catch (...) { std::cout << "stoi\n"; }
	long caught = 0; for (int i = 0; i < 2000; i++) try { if (i % 3) throw i; } catch (int v) { caught += v; } std::cout << caught << '\n';
	std::map<std::string, int> m; std::unordered_map<int, int> u; std::istringstream in("the quick brown fox jumps over the lazy dog the end"); for (std::string w; in >> w;) m[w]++; for (auto &[k, v] : m) std::cout << k << v << ' '; for (int i = 0; i < 10000; i++) u[i * 31 % 1009] += i; std::cout << u.size() << ' ' << u[7] << '\n';
	std::mutex lock; std::condition_variable cond; int turn = 0; std::vector<std::thread> ts; std::atomic<int> errors{0}; for (int i = 0; i < 4; i++) ts.emplace_back([&, i] { for (int k = 0; k < 50; k++) { std::unique_lock l(lock); cond.wait(l, [&] { return turn % 4 == i; }); turn++; cond.notify_all(); try { throw std::runtime_error("t"); } catch (...) { errors++; } } }); for (auto &t : ts) t.join(); std::cout << turn << ' ' << errors << '\n';
	auto fut = std::async(std::launch::async, [] { throw std::runtime_error("from thread"); return 1; }); try { fut.get(); } catch (const std::exception &e) { std::cout << e.what() << '\n'; } std::vector<std::future<long>> fs; for (int i = 0; i < 6; i++) fs.push_back(std::async(std::launch::async, [i] { long s = 0; for (int k = 0; k < 100000; k++) s += k % (i + 2); return s; })); for (auto &f : fs) std::cout << f.get() << ' '; thread_local int tl = 3; std::call_once(*new std::once_flag, [] { std::cout << "once\n"; });
	std::cout << std::regex_replace(std::string("a1b22"), std::regex("[0-9]+"), "<$&>") << ' ' << add(1.5, 2.25) << add<std::string>("x", "y") << tl << '\n'; std::vector<double> d(500); for (int i = 0; i < 500; i++) d[i] = (i * 37 % 501) / 7.0; std::sort(d.begin(), d.end(), std::greater<>()); std::cout.precision(17); std::cout << d[3] << ' ' << d[499] << std::endl; std::set_terminate([] { std::cout << "terminate" << std::endl; std::_Exit(7); }); throw 1;
}
END
# The compiler's texts name its architecture.
plain() { sed -E 's/(x86_64|riscv64)-linux-gnu/ARCH/g'; }
c=('-O2') cc=('-O2 -std=c++20'); [ "$SIZE" ] && c+=('-O0 -g' '-O3 -static' '-Os -flto=1') cc+=('-O0')
for o in "${c[@]}"; do gcc -Wall $o a.c -o a -lm -pthread; echo "gcc $o $?"; (./a arg; echo $?) 2>/dev/null; done
for o in "${cc[@]}"; do g++ $o a.cc -o b -pthread; echo "g++ $o $?"; ./b; echo $?; done
echo 'int f(int x) { return x + 1; } int v = 3;' >lib.c; echo '#include <dlfcn.h>
#include <stdio.h>
extern int f(int), v; int main(void) { void *h = dlopen("./libtwo.so", RTLD_NOW); int (*g)(int) = dlsym(h, "f"); printf("%d %d %d\n", f(v), g(5), dlopen("none", RTLD_NOW) == NULL); return dlclose(h); }' >use.c
gcc -shared -fPIC lib.c -o libone.so; sed s/1/100/ lib.c >lib2.c; gcc -shared -fPIC lib2.c -o libtwo.so; gcc use.c -o use -L. -lone -Wl,-rpath,"$PWD"; ./use; gcc -c lib.c; ar rcs lib.a lib.o; ar t lib.a; gcc use.c lib.a -o use2; ./use2; nm lib.o | grep -c ' [TD] '; size lib.o | wc -l; objcopy --strip-debug lib.o l2.o; strip use2; ./use2; readelf -h use | grep -c Type; objdump -d lib.o | grep -c '<f>'; ranlib lib.a; strings -n 6 use | grep -c dlopen
echo 'int main( { return undefined; }' >bad.c; gcc bad.c 2>&1 | plain; gcc none.c 2>&1 | plain; echo 'int x(void); int main(void) { return x(); }' | gcc -xc - 2>&1 | plain | grep -o 'undefined reference.*'; echo '#include "none.h"' | gcc -xc -c - 2>&1 | plain; echo '#define A(x) #x x##1
A(y) __LINE__ __COUNTER__' | cpp -P; gcc -O2 -S -fverbose-asm lib.c -o /dev/null; echo $?; echo 'int main(void) { int a[3] = {1}; return a[0] + 6; }' | gcc -xc -pipe -O1 - -o ret && ./ret; echo $?; gcc -fsyntax-only -Wall -xc - <<<'int f(void) { int unused; }' 2>&1 | plain; gcc -dumpversion; gcc --coverage lib.c -c -o cov.o; echo $?; echo 'program' | gcc -E - -P
