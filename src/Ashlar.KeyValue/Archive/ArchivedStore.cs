using Ashlar.KeyValue.Errors;
using Ashlar.KeyValue.Files;
using Ashlar.KeyValue.Manifests;
using Ashlar.KeyValue.Values;

namespace Ashlar.KeyValue.Archive;

/// <summary>The store whose log is archived.</summary>
/// <param name="Files">Its files.</param>
/// <param name="Options">How it was opened.</param>
/// <param name="Manifest">Its manifest, in which archiving has begun.</param>
/// <param name="Values">Its segments.</param>
/// <param name="Poison">Set if an edit is left in doubt.</param>
/// <param name="RecoveredSequence">What had been written when it was opened.</param>
sealed record ArchivedStore(
    StoreFiles Files, KeyValueOptions Options, Manifest Manifest, ValueSegments Values, PoisonLatch Poison, ulong RecoveredSequence);
