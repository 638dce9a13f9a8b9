#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The layers hold: includes go down only, each third-party header has one home, each tag one meaning, and
# the core archive asks nothing of the world.  Each check is first shown something that it must refuse.
set -eu

src=${srcdir:-.}/src
archive=libcore.a
NM=${NM:-nm}

# Includes go down: base < core < dns < site < farm < daemon, ctl.
includes_go_down() {
    find "$1" -name '*.[ch]' | sort | xargs awk -v top="$1/" '
        BEGIN {
            rank["base"] = 1; rank["core"] = 2; rank["dns"] = 3; rank["site"] = 4
            rank["farm"] = 5; rank["daemon"] = 6; rank["ctl"] = 6
        }
        /^[ \t]*#[ \t]*include[ \t]*"[^"]*\// {
            split(substr(FILENAME, length(top) + 1), from, "/")
            split($0, quoted, "\"")
            split(quoted[2], to, "/")
            if (to[1] in rank && from[1] in rank &&
                (to[1] == from[1] || rank[to[1]] < rank[from[1]]))
                next
            printf "%s:%d: %s may not include %s\n", FILENAME, FNR, from[1], quoted[2]
            bad = 1
        }
        END { exit bad }'
}

# A tag of a struct, union or enum is defined once, so that a search finds one thing.
tags_are_unique() {
    find "$1" -name '*.[ch]' | sort | xargs awk '
        match($0, /^(static |typedef )?(const )?(struct|union|enum) [a-z_0-9]+ [{]/) {
            tag = substr($0, RSTART, RLENGTH)
            sub(/^(static |typedef )?(const )?/, "", tag)
            if (tag in place) {
                printf "%s:%d: %s} stands in %s, too\n", FILENAME, FNR, tag, place[tag]
                bad = 1
            }
            place[tag] = FILENAME
        }
        END { exit bad }'
}

# Each third-party header is included by one .c file and no header.
headers_have_one_home() {
    find "$1" -name '*.[ch]' | sort | xargs awk '
        /^[ \t]*#[ \t]*include[ \t]*</ {
            split($0, parts, /[<>]/)
            header = parts[2]
            if (header !~ /^(ldns|event2|libmilter|systemd|hiredis|nettle)\// &&
                header !~ /^(libpsl|idn2|pcre2|pcre2posix|jansson|confuse|archive|archive_entry)\.h$/)
                next
            if (FILENAME ~ /\.h$/) {
                printf "%s:%d: a header of ours includes <%s>\n", FILENAME, FNR, header
                bad = 1
            } else if (header in home && home[header] != FILENAME) {
                printf "%s:%d: <%s> is included by %s already\n", FILENAME, FNR, header, home[header]
                bad = 1
            }
            home[header] = FILENAME
        }
        END { exit bad }'
}

# The core is a function of its arguments: no I/O, clock, lock, environment, chance or way out.
symbols_are_pure() {
    awk '
        BEGIN {
            words = "open open64 openat openat64 creat close read pread pread64 write pwrite " \
                "pwrite64 readv writev lseek fcntl ioctl stat fstat lstat access unlink rename " \
                "mmap mmap64 munmap pipe pipe2 socket connect bind listen accept accept4 send " \
                "sendto sendmsg recv recvfrom recvmsg poll ppoll select pselect " \
                "fopen fopen64 fdopen freopen fclose fread fwrite fgets fputs fputc fgetc getc putc " \
                "puts putchar getchar getline printf vprintf fprintf vfprintf dprintf vdprintf " \
                "perror fflush fseek scanf fscanf stdin stdout stderr syslog vsyslog openlog " \
                "time gettimeofday clock clock_gettime clock_nanosleep nanosleep sleep usleep " \
                "localtime localtime_r gmtime gmtime_r mktime getenv secure_getenv setenv putenv " \
                "rand rand_r random srand srandom getrandom getentropy arc4random " \
                "fork vfork execve execvp system popen kill raise signal sigaction " \
                "exit _exit _Exit quick_exit abort atexit longjmp " \
                "getaddrinfo gethostbyname gethostbyaddr getnameinfo getpid gethostname setlocale"
            count = split(words, list, " ")
            for (i = 1; i <= count; i++)
                impure[list[i]] = 1
        }
        NF == 2 && $1 == "U" {
            name = $2
            # what _FORTIFY_SOURCE makes of them: __fprintf_chk, __open_2
            sub(/^__/, "", name)
            sub(/_(chk|2)$/, "", name)
            if (name in impure || $2 in impure || $2 ~ /^(pthread|sem|mtx|cnd|thrd|epoll|eventfd)_/) {
                printf "the core references %s\n", $2
                bad = 1
            }
        }
        END { exit bad }'
}

# Threads block signals, and have names where the system has them: one file knows how.
threads_have_one_home() {
    ! grep -rnE 'pthread_(create|setname_np|condattr_init)' --include='*.c' --exclude=thread.c "$1"
}

failures=0
fail() {
    printf 'FAIL: %s\n' "$1"
    failures=$((failures + 1))
}

# A check that cannot fail checks nothing.
refuses() {
    what=$1
    shift
    if "$@" >/dev/null; then
        fail "$what was not noticed"
    fi
}

try=$(mktemp -d)
trap 'rm -rf "$try"' EXIT
mkdir -p "$try/up/core" "$try/aside/ctl" "$try/unknown/core" "$try/two/dns" "$try/leak/dns" \
    "$try/sound/core"
echo '#include "dns/cache.h"' >"$try/up/core/a.c"
echo '#  include "daemon/session.h"' >"$try/aside/ctl/a.h"
echo '#include "elsewhere/a.h"' >"$try/unknown/core/a.c"
echo '#include <ldns/ldns.h>' | tee "$try/two/dns/a.c" >"$try/two/dns/b.c"
echo '#include <event2/event.h>' >"$try/leak/dns/a.h"
printf '#include "core/a.h"\n#include "base/b.h"\n#include <libpsl.h>\n' >"$try/sound/core/a.c"
refuses 'an include that goes up' includes_go_down "$try/up"
refuses 'an include from ctl to daemon' includes_go_down "$try/aside"
refuses 'an include of an unknown folder' includes_go_down "$try/unknown"
refuses 'a header with two homes' headers_have_one_home "$try/two"
refuses 'a third-party header in a header' headers_have_one_home "$try/leak"
mkdir "$try/tags"
echo 'struct request {' | tee "$try/tags/a.c" >"$try/tags/b.c"
refuses 'a tag that is defined twice' tags_are_unique "$try/tags"
mkdir "$try/thread"
echo '(void)pthread_setname_np(thread, name);' >"$try/thread/a.c"
refuses 'a thread that is made elsewhere' threads_have_one_home "$try/thread"
includes_go_down "$try/sound" && headers_have_one_home "$try/sound" || fail 'a sound tree was refused'
for symbol in open clock_gettime pthread_mutex_lock getenv __printf_chk __open_2 stderr; do
    echo "                 U $symbol" | symbols_are_pure >/dev/null && fail "$symbol was not noticed"
done
printf '                 U memcpy\n                 U __memcpy_chk\n0000 T read_name\n' |
    symbols_are_pure || fail 'sound symbols were refused'

includes_go_down "$src" || fail 'includes'
headers_have_one_home "$src" || fail 'third-party headers'
tags_are_unique "$src" || fail 'tags'
threads_have_one_home "$src" || fail 'threads'
symbols=$("$NM" "$archive")
case $symbols in
*ipaddr_parse*) ;;
*) fail "$archive cannot be read" ;;
esac
printf '%s\n' "$symbols" | symbols_are_pure || fail 'symbols of the core'

[ "$failures" -eq 0 ] || exit 1
echo 'the layers hold'
