#!/bin/sh
# The compiler of fuzz builds (RUSTC_WRAPPER): as many units at once as cargo has by default, where cargo-fuzz asks for
# one. tfhe's packages are left without coverage: they parse nothing here, and their unrolled transforms take many
# minutes to compile with it. The transforms themselves, all floating point, also go without debug assertions.
case " $* " in
*" --crate-name tfhe_fft "*) transforms=1 tfhe=1 ;;
*" --crate-name tfhe"*) transforms=0 tfhe=1 ;;
*) transforms=0 tfhe=0 ;;
esac
for argument; do
  shift
  case $tfhe$transforms$argument in
  ??-Ccodegen-units=1) argument=-Ccodegen-units=16 ;;
  1?-Cpasses=sancov-module) argument=-Ccodegen-units=16 ;;
  11-Cdebug-assertions) argument=-Cdebug-assertions=off ;;
  11debug-assertions=on) argument=debug-assertions=off ;;
  esac
  set -- "$@" "$argument"
done
exec "$@"
