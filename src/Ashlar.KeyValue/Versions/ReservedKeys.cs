using Ashlar.KeyValue.Entries;

namespace Ashlar.KeyValue.Versions;

/// <summary>Finds keys where those of keyspaces are to be.</summary>
static class ReservedKeys
{
    /// <summary>The first key that begins with FF FF FF FF; null: there is none.</summary>
    /// <param name="version">Where to look.</param>
    /// <param name="sequence">Up to which write.</param>
    /// <param name="now">What has expired by then is not there (<see cref="Expiry.Now"/>).</param>
    public static byte[]? Find(StoreVersion version, ulong sequence, long now)
    {
        var entries = version.CreateIterator(sequence);
        try
        {
            byte[]? decided = null;
            for (entries.Seek(KeyspaceRegion.Start, ulong.MaxValue); entries.IsValid; entries.Next())
            {
                if (entries.Key.SequenceEqual(decided)) continue;
                decided = entries.Key.ToArray();
                if (Expiry.IsPresent(entries.Kind, entries.Value, now)) return decided;
            }

            return null;
        }
        finally
        {
            entries.Close();
        }
    }
}
