# SKI_MODULE(VARIABLE, MODULE, DEBIAN-PACKAGE)
# --------------------------------------------
# Looks for a pkg-config module and sets VARIABLE_CFLAGS and VARIABLE_LIBS.  One that is missing is
# remembered, so that SKI_MODULES_DONE can name all of them at once.
AC_DEFUN([SKI_MODULE],
[PKG_CHECK_MODULES([$1], [$2], [],
    [AS_VAR_APPEND([ski_missing_modules], ["
    $2 (package $3)"])
     AS_CASE([" $ski_missing_packages "], [*" $3 "*], [],
             [AS_VAR_APPEND([ski_missing_packages], [" $3"])])])])

# SKI_MODULES_DONE
# ----------------
# Ends configure with one message when any SKI_MODULE was not found.
AC_DEFUN([SKI_MODULES_DONE],
[AS_IF([test -n "$ski_missing_packages"],
    [AC_MSG_ERROR([pkg-config does not find:
$ski_missing_modules

On Debian or Ubuntu, install them with

    apt-get install$ski_missing_packages

or run ./bootstrap, which installs whatever is missing.  If they are installed in a place of your
own, add its lib/pkgconfig directory to PKG_CONFIG_PATH.])])])

# SKI_OPTIONAL_MODULE(VARIABLE, MODULE)
# -------------------------------------
# As SKI_MODULE, but configure goes on without it; the conditional HAVE_VARIABLE tells.
AC_DEFUN([SKI_OPTIONAL_MODULE],
[PKG_CHECK_MODULES([$1], [$2], [ski_have_$1=yes], [ski_have_$1=no])
AM_CONDITIONAL([HAVE_$1], [test "$ski_have_$1" = yes])])
