# SPDX-License-Identifier: BSD-3-Clause
"""Conan recipe of fmap. From the project's root: conan create cmake/packaging/conan --build=missing"""
import os
import re

from conan import ConanFile
from conan.errors import ConanInvalidConfiguration
from conan.tools.build import check_min_cppstd
from conan.tools.cmake import CMake, CMakeDeps, CMakeToolchain, cmake_layout
from conan.tools.files import copy, load, rm

required_conan_version = ">=2.0"


class FmapConan(ConanFile):
    name = "fmap"
    license = "BSD-3-Clause"
    description = "Maps a range through a pool of workers with at most N items in flight"
    topics = ("concurrency", "parallel", "actors")
    package_type = "library"
    settings = "os", "arch", "compiler", "build_type"
    options = {"shared": [True, False]}
    default_options = {"shared": False}

    @property
    def _root(self):
        return os.path.join(self.recipe_folder, "..", "..", "..")

    def set_version(self):
        text = load(self, os.path.join(self._root, "CMakeLists.txt"))
        self.version = re.search(r"^  VERSION ([0-9.]+)$", text, re.MULTILINE).group(1)

    def export_sources(self):
        for pattern in ("CMakeLists.txt", "LICENSE", "actors/*", "cmake/*", "libfmap/*"):
            copy(self, pattern, self._root, self.export_sources_folder)

    def requirements(self):
        # Its headers are included by <fmap/actor.hpp>, <fmap/stage.hpp> and <fmap/flow.hpp>.
        self.requires("caf/1.1.0", transitive_headers=True, transitive_libs=True)

    def validate(self):
        if self.settings.os != "Linux":
            raise ConanInvalidConfiguration("fmap is for Linux")
        check_min_cppstd(self, 20)
        oldest = {"gcc": 12, "clang": 16}.get(str(self.settings.compiler))
        if oldest and int(str(self.settings.compiler.version).split(".")[0]) < oldest:
            raise ConanInvalidConfiguration("fmap needs g++ 12 or newer, or clang++ 16 or newer")

    def layout(self):
        cmake_layout(self)

    def generate(self):
        toolchain = CMakeToolchain(self)
        for part in ("TESTS", "EXAMPLES", "TOOL"):
            toolchain.variables[f"FMAP_BUILD_{part}"] = False
        toolchain.generate()
        dependencies = CMakeDeps(self)
        dependencies.set_property("caf", "cmake_file_name", "CAF")
        dependencies.generate()

    def build(self):
        cmake = CMake(self)
        cmake.configure()
        cmake.build()

    def package(self):
        copy(self, "LICENSE", self.source_folder, os.path.join(self.package_folder, "licenses"))
        CMake(self).install()
        # Conan makes its own of these.
        rm(self, "*.cmake", os.path.join(self.package_folder, "lib", "cmake", "fmap"))
        rm(self, "*.pc", os.path.join(self.package_folder, "lib", "pkgconfig"))

    def package_info(self):
        self.cpp_info.set_property("cmake_file_name", "fmap")
        library = self.cpp_info.components["fmap"]
        library.set_property("cmake_target_name", "fmap::fmap")
        library.set_property("pkg_config_name", "fmap")
        library.libs = ["fmap"]
        library.requires = ["caf::core"]
        library.system_libs = ["pthread"]
        nodes = self.cpp_info.components["nodes"]
        nodes.set_property("cmake_target_name", "fmap::nodes")
        nodes.set_property("pkg_config_name", "fmap-nodes")
        nodes.libs = [] if self.options.shared else ["fmap_nodes"]
        nodes.requires = ["fmap"]
