# Builds the extension with PGXS against the server that PG_CONFIG names, and starts the tests.
#   make                    the module                make install      into that server, as usual
#   make uninstall          out of it again: first DROP EXTENSION, and no shared_preload_libraries
#   make demo               the main job: installs what is missing, builds, runs it on a private server
#   make test               everything: installs what is missing, builds, tests
#   make matrix             the suite on PostgreSQL 15, 17, 18, 19
#   make newcomer           the README's first steps in an empty Debian (FULL=1: with all tests)
#   make bench              ours beside the ordinary ways (BENCH=--quick: short; BENCH=claims: one of them)
#   make stage              as install, but below build/stage: what the tests and the demo use
#   make check-local        golden and isolation tests on a private server, from the stage
#   make tap                crash, restart and replica tests on private servers, from the stage
#   make check-symbols      what the module exports, needs, and runs at load
#   make installcheck       golden and isolation tests on a running server that has it installed
#   make sanitize           tests under sanitizers, and on a server with assertions (SANITIZE='asan tap': parts of it)
#   make dist               the source, as one .tar.gz and one .zip below build/dist
#   make packages           Debian packages, built and tried in fresh trees (PACKAGES=trixie: of that release)
#   make lint               clang-format, clang-tidy, house rules, the guard
#   make compile_commands.json   how each file is compiled, for clangd, clang-tidy and scripts/check-guard
#   make clean              removes all that the build and the tests made
#   make help               this list
# CMakeLists.txt builds the rest: core library, client, demo, benchmark and their tests.

src := $(or $(VPATH),.)
ifeq (,$(PG_CONFIG))
PG_CONFIG := $(shell '$(src)/scripts/pg-config' 2>/dev/null)
endif
WERROR ?= $(if $(CI),1,0)

sources     := $(sort $(wildcard $(foreach end,cpp c,$(foreach depth,* */* */*/*,$(src)/extension/$(depth).$(end)))))
wall_source := $(sort $(wildcard $(src)/tests/wall/*.cpp))
guard_tests := $(sort $(wildcard $(src)/tests/guard/*.cpp))
# The demo (WALL=0) does without the test module, until a test has built it.
ifeq (0,$(WALL))
wall_source := $(if $(wildcard build/wall/lockstep_wall.so),$(wall_source))
endif
wall_data   := $(wildcard $(src)/tests/wall/lockstep_wall.control $(src)/tests/wall/lockstep_wall--*.sql)

EXTENSION  = extension/lockstep
MODULE_big = lockstep
DATA       = $(patsubst $(src)/%,%,$(sort $(wildcard $(src)/extension/lockstep--*.sql)))
OBJS       = $(patsubst $(src)/extension/%,build/obj/%.o,$(sources))

# The second module, for the tests of the wall alone: these parts of the extension, and tests/wall.
WALL_OBJS  = $(patsubst %,build/obj/%.o,pg/boundary.cpp pg/spi.cpp pg/values.cpp core/big_integer.cpp core/money.cpp \
	pg/error_reports.c pg/shared_memory.c pg/transaction_ends.c pg/workers.c)
wall_objs  = $(WALL_OBJS) $(patsubst $(src)/tests/wall/%,build/wall/%.o,$(wall_source))

regress_all    := $(patsubst $(src)/sql/%.sql,%,$(sort $(wildcard $(src)/sql/*.sql)))
REGRESS        = $(regress_all)
ISOLATION      = $(patsubst $(src)/tests/isolation/specs/%.spec,%,$(sort $(wildcard $(src)/tests/isolation/specs/*.spec)))
# Whatever the server's own are.
ENCODING       = UTF8
NO_LOCALE      = 1
ISOLATION_OPTS = --inputdir='$(src)/tests/isolation' --load-extension=lockstep

ifneq (,$(filter installcheck,$(MAKECMDGOALS)))
# What the server has not got is left out, and said.
tests_with = $(patsubst $(src)/sql/%.sql,%,$(shell grep -l '$(1)' '$(src)'/sql/*.sql))
ifeq (,$(wildcard $(shell $(PG_CONFIG) --sharedir)/extension/lockstep_wall.control))
no_wall := $(call tests_with,EXTENSION lockstep_wall)
$(info skipped: $(no_wall) (the test module lockstep_wall is not installed in this server; make check-local runs them))
endif
ifeq (0,$(shell '$(shell $(PG_CONFIG) --bindir)/psql' -X -A -t -d postgres -c 'SHOW max_prepared_transactions' 2>/dev/null))
no_prepared := $(call tests_with,PREPARE TRANSACTION)
$(info skipped: $(no_prepared) (max_prepared_transactions is 0 in this server))
endif
REGRESS := $(filter-out $(no_wall) $(no_prepared),$(regress_all))
$(info skipped: TAP tests (they make servers of their own; make tap runs them))
endif

# The server's own -g makes 30 MB of the module. Functions and lines are enough for a backtrace; a debugger has
# the variables too with make DEBUG_FLAGS=-g.
DEBUG_FLAGS ?= -g1 -gz

# -isystem: the server's headers are not ours to mend. Hidden: only marked functions are exported.
common_flags = -MMD -MP -fvisibility=hidden $(if $(filter 1,$(WERROR)),-Werror) $(DEBUG_FLAGS)
version      = $(shell sed -n "s/^default_version *= *'\(.*\)'/\1/p" '$(src)/extension/lockstep.control')
PG_CPPFLAGS  = -I$(src)/extension -isystem $(shell $(PG_CONFIG) --includedir-server) -DLOCKSTEP_VERSION=$(version)
PG_CFLAGS    = $(common_flags) -Wextra -Wno-unused-parameter -Wno-missing-field-initializers
PG_CXXFLAGS  = $(common_flags) -std=c++20 -Wextra -Wshadow -Wnon-virtual-dtor -fvisibility-inlines-hidden
EXTRA_CLEAN  = build/obj build/wall build/pch

# PGXS would have clang make bitcode too, without our flags; PostgreSQL 15's headers fail there.
override with_llvm := no
# PGXS links with gcc, which leaves libstdc++ unnamed.
override COMPILER = $(CXX) $(CXXFLAGS)

.PHONY: help newcomer say-uninstall compile_commands.json stage wall check-local regress isolation tap check-symbols test demo bench matrix sanitize lint dist packages clean-build FORCE

PGXS := $(if $(PG_CONFIG),$(shell $(PG_CONFIG) --pgxs 2>/dev/null))
ifneq (,$(wildcard $(PGXS)))
all:
include $(PGXS)

# Templates of the standard library are exported in spite of -fvisibility=hidden; the linker hides them.
ifeq (linux,$(PORTNAME))
export_map = -Wl,--version-script=build/exports-$(1).map
SHLIB_LINK += $(call export_map,lockstep)
$(MODULE_big)$(DLSUFFIX): build/exports-lockstep.map
endif
build/exports-%.map:
	@mkdir -p build
	@printf '{\n  global: $*_*; pg_finfo_$*_*; Pg_magic_func; _PG_init;\n  local: *;\n};\n' >$@

# Made anew when another server, compiler or flag is named, so that nothing stale is linked.
build_with = $(shell sed -n 's/^.define PG_VERSION //p' '$(shell $(PG_CONFIG) --includedir-server)/pg_config.h') $(CXX) $(CXXFLAGS) $(CC) $(CFLAGS) $(CPPFLAGS)
build/flags: FORCE
	@mkdir -p build
	@printf '%s\n' '$(build_with)' | cmp -s - $@ || printf '%s\n' '$(build_with)' >$@

# PCH=1 (the demo) reads the server's and the standard headers once; the objects are the same. Other builds do
# without: they find a file that does not name what it needs, and ccache works for them.
headers_of = build/pch/$(if $(filter $(src)/extension/core/%,$(1)),standard,server).hpp
build/pch/standard.hpp: $(src)/Makefile
	@mkdir -p $(@D)
	@printf '#include <%s>\n' algorithm array cstdint cstring functional map memory optional set span string \
		string_view tuple unordered_map unordered_set utility variant vector >$@
build/pch/server.hpp: build/pch/standard.hpp
	@{ echo '#include "pg/pg.hpp"' && cat $<; } >$@
build/pch/%.hpp.gch: build/pch/%.hpp build/flags
	$(COMPILE.cpp) -x c++-header -o $@ $<
# The compiler does not list what it took from there.
$(filter-out build/obj/core/%,$(filter %.cpp.o,$(OBJS))) build/pch/server.hpp.gch: $(src)/extension/pg/pg.hpp
ifeq (1,$(PCH))
with_headers = -Winvalid-pch -include $(call headers_of,$(1))
$(filter %.cpp.o,$(OBJS)): | build/pch/server.hpp.gch build/pch/standard.hpp.gch
endif

build/obj/%.cpp.o: $(src)/extension/%.cpp build/flags
	@mkdir -p $(@D)
	$(COMPILE.cpp) $(call with_headers,$<) -o $@ $<

build/obj/%.c.o: $(src)/extension/%.c build/flags
	@mkdir -p $(@D)
	$(COMPILE.c) -o $@ $<

build/wall/%.cpp.o: $(src)/tests/wall/%.cpp build/flags
	@mkdir -p $(@D)
	$(COMPILE.cpp) -o $@ $<

build/wall/lockstep_wall.so: $(wall_objs) $(if $(export_map),build/exports-lockstep_wall.map)
	$(COMPILER) -shared -o $@ $(wall_objs) $(LDFLAGS) $(LDFLAGS_SL) $(call export_map,lockstep_wall)

# Into build/, where clangd looks of itself.
define newline


endef
commands_of = $(foreach file,$(filter %$(1),$(sources) $(wall_source) $(guard_tests)),$(file) $(COMPILE$(1)) $(file)$(newline))
compile_commands.json:
	$(shell mkdir -p build)$(file >build/commands.txt,$(call commands_of,.cpp)$(call commands_of,.c))
	@'$(src)/scripts/compile-commands' <build/commands.txt

-include $(OBJS:.o=.d) $(wall_objs:.o=.d)

wall: $(if $(wall_source),build/wall/lockstep_wall.so)

# One folder a server version: a second version is staged beside the first.
stage_done = build/stage/.staged-$(MAJORVERSION)$(if $(wall_source),,-demo)
stage: $(stage_done)
$(stage_done): $(MODULE_big)$(DLSUFFIX) $(src)/$(EXTENSION).control $(addprefix $(src)/,$(DATA)) \
		$(if $(wall_source),build/wall/lockstep_wall.so $(wall_data)) $(src)/Makefile
	rm -rf 'build/stage$(datadir)/extension' 'build/stage$(pkglibdir)'
	umask 022 && $(MAKE) --no-print-directory install DESTDIR=build/stage
ifneq (,$(wall_source))
	umask 022 && $(INSTALL_DATA) $(wall_data) 'build/stage$(datadir)/extension/'
	umask 022 && $(INSTALL_SHLIB) build/wall/lockstep_wall.so 'build/stage$(pkglibdir)/'
endif
	@touch $@

# The server is not asked: it may be stopped, and there may be several.
uninstall: say-uninstall
say-uninstall:
	@echo 'A server that still preloads lockstep does not start once it is gone. The order: DROP EXTENSION lockstep in each'
	@echo 'database, take it out of shared_preload_libraries, restart the server, make uninstall.'

check-local: stage
	'$(src)/scripts/regress'

regress isolation: stage
	'$(src)/scripts/regress' --only $@

tap: stage
	'$(src)/scripts/tap'

check-symbols: all wall
	PG_CONFIG='$(PG_CONFIG)' '$(src)/tests/check_symbols' lockstep $(MODULE_big)$(DLSUFFIX)
	$(if $(wall_source),PG_CONFIG='$(PG_CONFIG)' '$(src)/tests/check_symbols' lockstep_wall build/wall/lockstep_wall.so)

else
all install installcheck uninstall compile_commands.json stage wall check-local regress isolation tap check-symbols:
	@echo 'No PostgreSQL server with its headers was found: scripts/install-packages build installs one,' >&2
	@echo 'or name one with PG_CONFIG=/path/to/pg_config. make demo and make test install it of themselves;' >&2
	@echo 'make help lists what else there is.' >&2
	@false
clean:
	rm -f lockstep.so
	rm -rf results output_iso tmp_check tmp_check_iso regression.diffs regression.out
endif

test demo lint dist:
	@'$(src)/scripts/$@'

matrix newcomer:
	@FULL='$(FULL)' '$(src)/scripts/$@'

bench:
	@'$(src)/scripts/$@' $(BENCH)

packages:
	@'$(src)/scripts/$@' $(PACKAGES)

sanitize:
	@'$(src)/scripts/$@' $(SANITIZE)

# The list above.
help:
	@sed -n 's/^#   make/make/p' '$(firstword $(MAKEFILE_LIST))'

clean: clean-build
clean-build:
	@'$(src)/scripts/clean'
