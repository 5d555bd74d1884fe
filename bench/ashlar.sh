# Starts Ashlar for the benchmark scripts. Sourced after lib.sh, when $work exists.

ashlar_pid= ashlar_api_port= ashlar_nbd_port= ashlar_iscsi_port=

ashlar_program() { # The program itself, not the script that builds it: its id is the one to measure and to end.
    dotnet "$repository/artifacts/bin/Ashlar/release/ashlar.dll" "$@"
}

# start_ashlar DIRECTORY [POOL_SIZE]: as a user gets it, only the ports are chosen
start_ashlar() {
    dotnet build "$repository/src/Ashlar" -c Release -v quiet -nologo >"$work/build.log" 2>&1 ||
        { cat "$work/build.log" >&2; give_up "the build failed"; }
    ashlar_api_port=$(free_port) ashlar_nbd_port=$(free_port) ashlar_iscsi_port=$(free_port)
    ashlar_data=$1
    env -u ASHLAR_LISTEN dotnet "$repository/artifacts/bin/Ashlar/release/ashlar.dll" up --data "$1" --pool-size "${2:-16GiB}" \
        --api-port "$ashlar_api_port" --nbd-port "$ashlar_nbd_port" --iscsi-port "$ashlar_iscsi_port" >"$work/ashlar.log" 2>&1 &
    ashlar_pid=$!
    ends_with_script "$ashlar_pid"
    local port
    for port in "$ashlar_api_port" "$ashlar_nbd_port" "$ashlar_iscsi_port"; do wait_for_port "$port" "$ashlar_pid" "$work/ashlar.log"; done
}

create_volume() { # create_volume NAME SIZE [OPTION...]
    local name=$1 size=$2
    shift 2
    ashlar_program volume create "$name" --size "$size" --data "$ashlar_data" "$@" >/dev/null ||
        give_up "cannot create volume $name"
}
