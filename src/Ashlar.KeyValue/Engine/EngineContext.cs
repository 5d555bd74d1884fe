using Ashlar.KeyValue.Cache;
using Ashlar.KeyValue.Errors;
using Ashlar.KeyValue.Files;
using Ashlar.KeyValue.Manifests;
using Ashlar.KeyValue.Values;
using Ashlar.KeyValue.Versions;

namespace Ashlar.KeyValue.Engine;

/// <summary>What the parts of a store that is open share. It owns nothing: the store lets go of all of it, in its order.</summary>
sealed class EngineContext
{
    public required StoreFiles Files { get; init; }

    public required KeyValueOptions Options { get; init; }

    public required FileNumbers Numbers { get; init; }

    public required Manifest Manifest { get; init; }

    public required BlockCache Cache { get; init; }

    public required ValueSegments Values { get; init; }

    public required StoreState State { get; init; }

    /// <summary>Tells merges what has expired.</summary>
    public required ExpiryClock ExpiryClock { get; init; }

    /// <summary>Set once what is on disk is in doubt: nobody writes from then on.</summary>
    public required PoisonLatch Poison { get; init; }
}
