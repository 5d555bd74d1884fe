using System.Globalization;
using System.Net;

namespace Ashlar.Nvme.Bench;

enum WorkKind
{
    RandomRead = 0,
    RandomWrite,
    SequentialRead,
    SequentialWrite,

    /// <summary>Every block once, then a flush.</summary>
    Fill,

    /// <summary>Reads and writes anywhere, and looks at all that is read.</summary>
    Check,
}

/// <summary>What the command line says.</summary>
sealed record BenchOptions
{
    public const string Usage = """
        usage: nvme-bench load nvme|nbd PORT NAME randread|randwrite|read|write|fill|check [--OPTION VALUE...]
               nvme-bench bare nvme|nbd PORT FILE
          --size-mib N      how much of the volume is used, from its begin (64)
          --block BYTES     of one request (4096)
          --depth N         requests of a connection under way (1)
          --connections N   each with a thread of its own (1)
          --seconds X       of which the results are (5), after
          --ramp X          that are not counted (1)
          --flush N         a flush after each N writes of a connection, which waits for all before it (0: none)
          --digests N       of NVMe: 1 headers, 2 data, 3 both (0)
          --flow-control N  of NVMe: 0 gives up that of queues, so that a read ends with its data; else it ends with a response (1)
          --structured N    of NBD: 1 asks for structured replies (0)
          --seed N          of places and contents (1)
        load prints, with tabs between: requests/s, MiB/s, and the microseconds of p50, p99 and p99.9; of flushes where there are some.
        check prints how many blocks were read and compared, and ends with 1 where one is not what was written.
        bare serves the same protocol from a file, without checksums of blocks and without anything that a server needs besides.
        """;

    public required string Verb { get; init; }

    public required bool IsNvme { get; init; }

    public required IPEndPoint EndPoint { get; init; }

    /// <summary>Subsystem or export; the file of a bare server.</summary>
    public required string Name { get; init; }

    public WorkKind Kind { get; init; }

    public long SizeBytes { get; init; } = 64L << 20;

    public int BlockBytes { get; init; } = 4096;

    public int Depth { get; init; } = 1;

    public int Connections { get; init; } = 1;

    public double Seconds { get; init; } = 5;

    public double Ramp { get; init; } = 1;

    public int FlushEvery { get; init; }

    public Digests Digests { get; init; }

    /// <summary>Whether queues of NVMe have flow control, as those of Linux have unless it is told otherwise.</summary>
    public bool HasFlowControl { get; init; } = true;

    /// <summary>Whether replies of NBD are structured, as libnbd and QEMU ask for; those to the kernel are not.</summary>
    public bool IsStructured { get; init; }

    public int Seed { get; init; } = 1;

    public static BenchOptions? TryRead(string[] args)
    {
        if (args is not [("load" or "bare") and var verb, ("nvme" or "nbd") and var protocol, var port, var name, ..]) return null;
        var options = new BenchOptions
        {
            Verb = verb,
            IsNvme = protocol == "nvme",
            EndPoint = new(IPAddress.Loopback, int.Parse(port, CultureInfo.InvariantCulture)),
            Name = name,
        };
        if (verb == "bare") return args.Length == 4 ? options : null;
        if (args.Length % 2 != 1) return null;
        WorkKind? kind = args[4] switch
        {
            "randread" => WorkKind.RandomRead,
            "randwrite" => WorkKind.RandomWrite,
            "read" => WorkKind.SequentialRead,
            "write" => WorkKind.SequentialWrite,
            "fill" => WorkKind.Fill,
            "check" => WorkKind.Check,
            _ => null,
        };
        if (kind is not { } known) return null;
        BenchOptions? read = options with { Kind = known };
        for (var i = 5; i < args.Length && read is not null; i += 2) read = read.With(args[i], args[i + 1]);
        return read;
    }

    BenchOptions? With(string option, string value) => option switch
    {
        "--size-mib" => this with { SizeBytes = Whole(value) << 20 },
        "--block" => this with { BlockBytes = Whole(value) },
        "--depth" => this with { Depth = Whole(value) },
        "--connections" => this with { Connections = Whole(value) },
        "--seconds" => this with { Seconds = double.Parse(value, CultureInfo.InvariantCulture) },
        "--ramp" => this with { Ramp = double.Parse(value, CultureInfo.InvariantCulture) },
        "--flush" => this with { FlushEvery = Whole(value) },
        "--digests" => this with { Digests = Digests.FromByte((byte)Whole(value)) },
        "--flow-control" => this with { HasFlowControl = Whole(value) != 0 },
        "--structured" => this with { IsStructured = Whole(value) != 0 },
        "--seed" => this with { Seed = Whole(value) },
        _ => null,
    };

    static int Whole(string value) => int.Parse(value, CultureInfo.InvariantCulture);
}
