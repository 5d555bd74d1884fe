# Starts Ashlar for the benchmark scripts. Sourced after lib.sh, when $work exists.

ashlar_pid= ashlar_api_port= ashlar_nbd_port= ashlar_iscsi_port= ashlar_data=

# start_ashlar DIRECTORY [POOL_SIZE]: as a user gets it, only the ports are chosen
start_ashlar() {
    "$repository/ashlar" version >&2 || give_up "cannot build the program"
    ashlar_data=$1 ashlar_api_port=$(free_port) ashlar_nbd_port=$(free_port) ashlar_iscsi_port=$(free_port)
    # The script becomes the program, so its id is the one to measure and to end.
    "$repository/ashlar" up --data "$ashlar_data" --pool-size "${2:-16GiB}" \
        --api-port "$ashlar_api_port" --nbd-port "$ashlar_nbd_port" --iscsi-port "$ashlar_iscsi_port" >"$work/ashlar.log" 2>&1 &
    ashlar_pid=$!
    ends_with_script "$ashlar_pid"
    local port
    for port in "$ashlar_api_port" "$ashlar_nbd_port" "$ashlar_iscsi_port"; do
        wait_for_port "$port" "$ashlar_pid" "$work/ashlar.log"
    done
}

create_volume() { # create_volume NAME SIZE [OPTION...]
    "$repository/ashlar" volume create "$1" --size "$2" --data "$ashlar_data" "${@:3}" >/dev/null ||
        give_up "cannot create volume $1"
}
