dist_man_MANS += man/pullyu.conf.5 man/pullyu-settings.5
