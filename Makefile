# The front door. Meson and Ninja do the work; see CONTRIBUTING.md.
#
#   make        build/yizhan             make test    everything that can be checked
#   make run    a demo county at :8080   make bench   how fast it is on this machine
#   make deps   the Debian packages      make clean   all that was built (not data/)

BUILD  ?= build
DATA   ?= data
LISTEN ?= 127.0.0.1:8080

.PHONY: all deps run test bench clean
all:
	@tools/build $(BUILD) yizhan

deps:
	@tools/deps build run test

run:
	@tools/deps build run
	@tools/build $(BUILD) yizhan
	@test -e $(DATA) || { rm -rf $(DATA).new && \
		$(BUILD)/yizhan init --data $(DATA).new --demo >/dev/null && mv $(DATA).new $(DATA); }
	@exec $(BUILD)/yizhan serve --data $(DATA) --listen $(LISTEN)

test:
	@tools/deps build run test
	@tests/run

bench:
	@tools/deps build run test
	@tools/build $(BUILD) yizhan
	@tests/bench/run $(BUILD)/yizhan

clean:
	rm -rf $(BUILD) build-asan build-fuzz ui/dist ui/node_modules
