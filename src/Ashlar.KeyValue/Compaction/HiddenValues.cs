namespace Ashlar.KeyValue.Compaction;

/// <summary>
/// Stale values that tables still refer to, because newer entries of their keys lie above: no segment looks worth moving until tables are
/// merged.
/// </summary>
/// <param name="StaleBytes">How much of what tables refer to is stale, estimated.</param>
/// <param name="ExcessBytes">How far files are beyond their limit.</param>
/// <param name="TableBytes">What merging all tables costs.</param>
/// <param name="NewestSequence">The newest entry of the tables.</param>
/// <param name="OldestReadable">The oldest sequence that anybody reads.</param>
readonly record struct HiddenValues(
    double StaleBytes, double ExcessBytes, long TableBytes, ulong NewestSequence, ulong OldestReadable)
{
    /// <summary>
    /// Whether merging all tables brings files back to their limit, costs no more than it brings, and readers need nothing of what is
    /// stale: merged while they do, it would be taken for live.
    /// </summary>
    public bool AreWorthMerging => StaleBytes >= ExcessBytes && TableBytes <= ExcessBytes && NewestSequence <= OldestReadable;
}
