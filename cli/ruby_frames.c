#include "cli/ruby_frames.h"
int ruby_frames_show(struct target *target, struct format *format, bool json, FILE *to)
{
	(void)target;
	(void)format;
	(void)json;
	(void)to;
	return -1;
}
