using Ashlar.KeyValue.Entries;
using Ashlar.KeyValue.Errors;
using Ashlar.KeyValue.Log;
using Ashlar.KeyValue.Manifests;
using Ashlar.KeyValue.Versions;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Commit;

/// <summary>
/// Whether a leader may write a batch, whatever room there is: its keyspaces are there, no key is another's, and not too many deleted
/// ranges are remembered.
/// </summary>
sealed class BatchAdmission(StoreState state, RequiredFeatures features, TimeProvider clock)
{
    /// <summary>
    /// Reserves the keys of keyspaces, for the first one. No other group is being written: what is there is in memtables and tables,
    /// published or not.
    /// </summary>
    /// <param name="lastSequence">The last one that was given out.</param>
    /// <exception cref="ReservedKeyException">Some of these keys are there.</exception>
    public void ReserveKeyspaces(ulong lastSequence)
    {
        Invariant.Require(lastSequence >= state.VisibleSequence); // Else some keys would not be looked at.
        if (state.HasKeyspaces) return;
        var version = state.Acquire();
        try
        {
            var now = Expiry.Now(clock);
            if (ReservedKeys.Find(version, lastSequence, now) is { } first)
                throw new ReservedKeyException(
                    "A store with keys that begin with FF FF FF FF can have no keyspaces: delete them first. The first is "
                        + Convert.ToHexString(first));
        }
        finally
        {
            version.Release();
        }

        features.Require(StoreFeatures.Keyspaces);
        state.HasKeyspaces = true;
    }

    /// <summary>Why a batch may not be written; null if it may.</summary>
    public Exception? RefusalOf(WriteBatch batch)
    {
        if (batch.Keyspaces?.Find(one => one.IsDropped) is { } dropped) return new KeyspaceDroppedException(dropped.Name);
        if (batch.HasRangeDeletes && !batch.IsOfEngine && RefusalOfRanges() is { } tooMany) return tooMany;
        return batch.HasReservedKeys && !batch.IsOfEngine && state.HasKeyspaces
            ? new ReservedKeyException(
                "Keys that begin with FF FF FF FF belong to the keyspaces of this store: put into one, and end ranges before them.")
            : null;
    }

    // Those that a reader keeps have no other bound: they slow nobody down.
    DeletedRangesLimitException? RefusalOfRanges()
    {
        int count;
        ulong newest;
        var visible = state.VisibleSequence;
        using (var read = state.Read())
        {
            count = read.Version.RangeCount;
            if (count < StoreVersion.MaxRanges) return null;
            newest = read.Version.NewestRange;
        }

        var oldest = state.OldestReadableSequence();
        return new(count, StoreVersion.MaxRanges, oldest < Math.Min(newest, visible) ? oldest : null);
    }
}
