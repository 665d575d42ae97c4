/*
 * Included before everything that ends up in libkprobe.so, so that the library, built here, loads under
 * glibc 2.31 too: functions that glibc 2.34 took over from libpthread and libdl, and got a new version then,
 * are asked for by their old one, which every glibc has. They are weak: where those two were libraries of
 * their own, programs like a shell do without them, and must start with us preloaded; kp_python_present asks
 * first.
 */
#ifndef KP_OLD_GLIBC_H
#define KP_OLD_GLIBC_H

#if defined __x86_64__ && !defined __ASSEMBLER__
#define KP_OLD(name) __asm__(".symver " #name ", " #name "@GLIBC_2.2.5\n.weak " #name);
KP_OLD(dladdr)
KP_OLD(dlclose)
KP_OLD(dlerror)
KP_OLD(dlopen)
KP_OLD(dlsym)
KP_OLD(pthread_attr_setstack)
KP_OLD(pthread_create)
KP_OLD(pthread_join)
KP_OLD(pthread_key_create)
KP_OLD(pthread_mutex_trylock)
KP_OLD(pthread_setspecific)
KP_OLD(pthread_sigmask)
#undef KP_OLD
#endif

#endif
