# SKI_CFLAGS(VARIABLE, FLAGS)
# ---------------------------
# Appends to VARIABLE those of the flags that the C compiler knows.
AC_DEFUN([SKI_CFLAGS],
[for ski_flag in m4_normalize([$2]); do
    AS_VAR_PUSHDEF([ski_known], [ski_cv_cflag_$ski_flag])
    AC_CACHE_CHECK([whether $CC knows $ski_flag], [ski_known],
        [ski_saved_CFLAGS=$CFLAGS
         CFLAGS="$CFLAGS -Werror $ski_flag"
         AC_COMPILE_IFELSE([AC_LANG_PROGRAM()], [AS_VAR_SET([ski_known], [yes])],
                           [AS_VAR_SET([ski_known], [no])])
         CFLAGS=$ski_saved_CFLAGS])
    AS_VAR_IF([ski_known], [yes], [AS_VAR_APPEND([$1], [" $ski_flag"])])
    AS_VAR_POPDEF([ski_known])
done])
