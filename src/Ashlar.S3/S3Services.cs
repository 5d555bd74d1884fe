using Ashlar.Files;

namespace Ashlar.S3;

/// <summary>What the operations work with.</summary>
sealed record S3Services(S3ServerOptions Options, OpenBuckets OpenBuckets)
{
    public KnownPolicies Policies { get; } = new();

    public BodyLimits Limits { get; } = new(Options.TimeProvider, Options.BodyLimit, new(Options.MaxBodyMemoryBytes));

    public FileService Files => Options.Files;

    public IMetadataStore Metadata => Options.Metadata;
}
