using System.Net;
using Ashlar.Files;
using Ashlar.Storage;

namespace Ashlar.S3;

/// <summary>What an S3 server serves, and where.</summary>
public sealed record S3ServerOptions
{
    /// <summary>Addresses and ports to listen on; one at least.</summary>
    public required IReadOnlyList<IPEndPoint> Portals { get; init; }

    /// <summary>The operations on files.</summary>
    public required FileService Files { get; init; }

    /// <summary>The metadata, with users and their keys.</summary>
    public required IMetadataStore Metadata { get; init; }

    /// <summary>What time it is: signatures hold for a while.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>Chance, for the numbers of requests.</summary>
    public IEntropySource Entropy { get; init; } = SystemEntropy.Instance;

    /// <summary>The region that signatures have to name.</summary>
    public string Region { get; init; } = "us-east-1";

    /// <summary>Names of this host; what stands in front of one of them, with a dot between, is a bucket.</summary>
    public IReadOnlyList<string> Domains { get; init; } = [];

    /// <summary>Most connections at a time.</summary>
    public int MaxConnections { get; init; } = 1024;

    /// <summary>Most connections of one address at a time. A proxy in front is one address, and may need more.</summary>
    public int MaxConnectionsPerAddress { get; init; } = 256;

    /// <summary>How long may take to come what is read before it is known who sends it: the fields of a form.</summary>
    public TimeSpan ProofLimit { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a body may take to come, however long it is.</summary>
    public TimeSpan BodyLimit { get; init; } = TimeSpan.FromDays(1);

    /// <summary>Memory for what has to be held as a whole: long chunks that are signed, and bodies that are read as a whole.</summary>
    public long MaxBodyMemoryBytes { get; init; } = 256 << 20;

    /// <summary>Fewest bytes a second at which a body is sent or taken, after <see cref="RateGrace"/>.</summary>
    public double MinBytesPerSecond { get; init; } = 100;

    /// <summary>How long a client may be slower.</summary>
    public TimeSpan RateGrace { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>Shortest part of an upload that is not the last. S3 has 5 MiB, and clients rely on no less.</summary>
    public long MinPartBytes { get; init; } = MultipartLimits.MinPartBytes;

    /// <summary>Measures answers. Called on the threads that serve.</summary>
    public Action<S3Answer>? Answered { get; init; }

    /// <summary>Hears of answers and failures. Called on the threads that serve.</summary>
    public Action<S3Event>? Log { get; init; }

    /// <summary>Whether <see cref="Log"/> wants to hear of events of a kind: what nobody hears is not put into words.</summary>
    public Func<S3EventKind, bool> Hears { get; init; } = static _ => true;
}

/// <summary>What an event is of.</summary>
public enum S3EventKind
{
    /// <summary>A request was answered, however.</summary>
    Answered = 0,

    /// <summary>Something failed that is not the client's fault.</summary>
    Failed,
}

/// <summary>Something that happened.</summary>
/// <param name="Kind">What.</param>
/// <param name="Message">In words, on one line unless it is a failure nobody has foreseen.</param>
/// <param name="RequestId">The number that the client was told.</param>
/// <param name="Address">Where the client is.</param>
public sealed record S3Event(S3EventKind Kind, string Message, string RequestId, IPAddress? Address);
