def peers(bench): return ""
