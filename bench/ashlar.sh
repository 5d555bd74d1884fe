# Starts Ashlar for the benchmark scripts. Sourced after lib.sh, when $work exists.

# The checkout whose program start_ashlar starts, and what it was asked to start last.
ashlar_checkout=$repository
ashlar_options=() # More of the command line, of those that are started from then on.
ashlar_pid= ashlar_api_port= ashlar_nbd_port= ashlar_iscsi_port= ashlar_data=
# NVMe is off; whoever measures it sets this to a port that is free.
ashlar_nvme_port=0

# start_ashlar DIRECTORY [POOL_SIZE]: as a user gets it, only the ports are chosen
start_ashlar() {
    "$ashlar_checkout/ashlar" version >&2 || give_up "cannot build the program of $ashlar_checkout"
    ashlar_data=$1 ashlar_api_port=$(free_port) ashlar_nbd_port=$(free_port) ashlar_iscsi_port=$(free_port)
    run_ashlar --pool-size "${2:-16GiB}"
    local port
    for port in "$ashlar_api_port" "$ashlar_nbd_port" "$ashlar_iscsi_port"; do
        wait_for_port "$port" "$ashlar_pid" "$ashlar_data.log"
    done
}

run_ashlar() { # run_ashlar [OPTION...]: in the directory and on the ports that were chosen; does not wait for it
    # The script becomes the program, so its id is the one to measure and to end.
    "$ashlar_checkout/ashlar" up --data "$ashlar_data" "${ashlar_options[@]}" "$@" --api-port "$ashlar_api_port" \
        --nbd-port "$ashlar_nbd_port" --iscsi-port "$ashlar_iscsi_port" --nvme-port "$ashlar_nvme_port" --s3-port 0 \
        >"$ashlar_data.log" 2>&1 &
    ashlar_pid=$!
    ends_with_script "$ashlar_pid"
}

create_volume() { # create_volume NAME SIZE [OPTION...]
    "$ashlar_checkout/ashlar" volume create "$1" --size "$2" --data "$ashlar_data" "${@:3}" >/dev/null ||
        give_up "cannot create volume $1"
}

# For --paired CHECKOUT: its program is put beside the one of this repository, in place of the rival.
start_paired() { # start_paired CHECKOUT COMMAND...: COMMAND is run once that program is the one that start_ashlar starts
    [ -x "$1/ashlar" ] || give_up "no program of Ashlar in $1"
    ashlar_checkout=$(cd "$1" && pwd)
    "${@:2}"
    ashlar_checkout=$repository
}
