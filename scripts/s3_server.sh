# Sourced: FHECTL_TEST_S3 is a real S3 server, s3s-fs, which is built into target/s3 the first time.
export FHECTL_TEST_S3=${FHECTL_TEST_S3:-$PWD/target/s3/bin/s3s-fs}
[ -x "$FHECTL_TEST_S3" ] ||
  RUSTFLAGS="" cargo install s3s-fs --version 0.14.1 --locked --features binary --root target/s3 --target-dir target/s3/build --debug
