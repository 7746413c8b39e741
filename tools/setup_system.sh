#!/bin/sh
# Installs what is not Python's, on Debian and Ubuntu:
# - Chromium, in which the tests open the HTML reports;
# - what an emulated GPU needs: the Vulkan loader, and SwiftShader, a Vulkan driver that runs on the
#   CPU. A machine whose GPU has a Vulkan driver needs no emulation.
#
# It never fails: where something cannot be installed it says what is missing and what to do, and
# the tests that need it skip. A second run finds everything there and changes nothing.
#
# SwiftShader has no package of its own: it is one library of 5 MB in Debian's chromium-common. Where
# Chromium is not installed, that package is unpacked.
set -eu

library=/usr/local/lib/swiftshader/libvk_swiftshader.so
# one of the folders that the loader searches by itself; the local administrator's, not dpkg's
manifest=/usr/local/share/vulkan/icd.d/vk_swiftshader_icd.json

say() { echo "set-up: $*"; }

# Each part runs in a shell of its own: one that gives up does not keep the other from its work.
give_up() {
    say "$*"
    exit 0
}

have_browser() {
    for program in chromium chromium-browser google-chrome google-chrome-stable chrome; do
        command -v "$program" >/dev/null && return 0
    done
    return 1
}

install_browser() {
    have_browser && give_up "Chromium is here; nothing to do"
    without="the tests of HTML reports skip what needs a browser"
    # Ubuntu's package only fetches a snap
    grep -qs '^ID=debian' /etc/os-release && command -v apt-get >/dev/null ||
        give_up "missing: Chromium. Install Chromium or Chrome; until then $without"
    [ "$(id -u)" = 0 ] || give_up "missing: Chromium. Run 'sudo $0'; until then $without"
    apt_or_update install -y --no-install-recommends chromium ||
        give_up "missing: Chromium. apt-get could not install it; until then $without"
    say "Chromium is installed"
}

have_loader() {
    PATH="$PATH:/sbin:/usr/sbin" ldconfig -p 2>/dev/null | grep -q 'libvulkan\.so\.1'
}

# A device node and a driver for it: Mesa's package brings drivers for every GPU that it knows, and a
# graphics card may have no Vulkan driver.
have_hardware() {
    for node in /dev/nvidia[0-9]* /dev/dri/renderD* /dev/dxg; do
        [ -e "$node" ] && drivers | grep -qv -e swiftshader -e lvp -e lavapipe && return 0
    done
    return 1
}

drivers() {
    for driver in /etc/vulkan/icd.d/*.json /usr/local/share/vulkan/icd.d/*.json \
        /usr/share/vulkan/icd.d/*.json; do
        [ -e "$driver" ] && basename "$driver"
    done
    printenv VK_DRIVER_FILES VK_ICD_FILENAMES || true
}

# Mesa's lavapipe does as well as SwiftShader, but not before version 23: Dawn, which LiteRT and ONNX
# Runtime use, refuses it for want of shaderSampledImageArrayDynamicIndexing.
have_lavapipe() {
    drivers | grep -q lvp &&
        version=$(dpkg-query -W -f '${Version}' mesa-vulkan-drivers 2>/dev/null) &&
        dpkg --compare-versions "$version" ge 23
}

have_emulation() { [ -e "$library" ] && [ -e "$manifest" ]; }

apt() { DEBIAN_FRONTEND=noninteractive apt-get -qq -o APT::Sandbox::User=root "$@" >/dev/null; }

# A fresh container has no package lists.
apt_or_update() { apt "$@" 2>/dev/null || { apt update && apt "$@"; }; }

install_swiftshader() {
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
    trap 'exit 1' HUP INT TERM
    source=/usr/lib/chromium/libvk_swiftshader.so # where Chromium is installed already
    if [ ! -e "$source" ]; then
        (cd "$folder" && apt_or_update download chromium-common) ||
            give_up "SwiftShader is missing: apt has no chromium-common (Ubuntu's is a snap);" \
                "apt-get install mesa-vulkan-drivers, version 23 or later, does as well"
        dpkg -x "$folder"/chromium-common_*.deb "$folder"
        source=$folder/usr/lib/chromium/libvk_swiftshader.so
        [ -e "$source" ] ||
            give_up "SwiftShader is missing: this system's chromium-common does not hold it (Ubuntu's" \
                "is a snap); apt-get install mesa-vulkan-drivers, version 23 or later, does as well"
    fi
    install -D -m 644 "$source" "$library"
    mkdir -p "${manifest%/*}"
    cat >"$manifest" <<JSON
{"file_format_version": "1.0.0", "ICD": {"library_path": "$library", "api_version": "1.0.5"}}
JSON
    say "SwiftShader installed in $library"
}

install_gpu() {
    missing=""
    have_loader || missing="the Vulkan loader (libvulkan1)"
    if ! have_hardware && ! have_lavapipe && ! have_emulation; then
        missing="${missing:+$missing and }SwiftShader, an emulated GPU"
    fi
    [ -n "$missing" ] || give_up "a Vulkan loader and driver are here; nothing to do"
    if ! command -v apt-get >/dev/null || ! command -v dpkg >/dev/null; then
        give_up "missing: $missing. This is not Debian or Ubuntu: install a Vulkan loader and driver" \
            "(lavapipe of Mesa 23 or later is one); GPU targets are not available until then"
    fi
    [ "$(id -u)" = 0 ] ||
        give_up "missing: $missing. Run 'sudo $0'; GPU targets are not available until then"

    if ! have_loader; then
        apt_or_update install -y --no-install-recommends libvulkan1 ||
            give_up "missing: $missing. apt-get could not install libvulkan1"
        say "the Vulkan loader is installed"
    fi
    have_hardware || have_lavapipe || have_emulation || install_swiftshader
}

(install_browser)
(install_gpu)
