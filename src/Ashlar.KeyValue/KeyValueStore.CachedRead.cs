using System.Buffers;
using Ashlar.KeyValue.Cache;
using Ashlar.KeyValue.Values;
using Ashlar.Storage;

namespace Ashlar.KeyValue;

// Gets of callers that must not wait for the disk.
public sealed partial class KeyValueStore
{
    /// <summary>
    /// Reads a value into a writer if that needs no waiting for the disk: from memory, or from the page cache of the operating system.
    /// Allocates nothing.
    /// </summary>
    /// <remarks>
    /// What it says is as true as what <see cref="TryGet(ReadOnlySpan{byte}, IBufferWriter{byte})"/> says. Where the file system cannot
    /// tell what is cached, only memory is asked.
    /// </remarks>
    /// <exception cref="CorruptDataException">What holds the value is damaged.</exception>
    public CachedGet TryGetCached(ReadOnlySpan<byte> key, IBufferWriter<byte> value)
    {
        ArgumentNullException.ThrowIfNull(value);
        var slot = state.Enter();
        try
        {
            var outcome = Find(slot, key, out var found);
            if (outcome == CachedGet.Found && !found.TryCopyCached(value, state.Values)) outcome = CachedGet.WouldWait;
            return Count(outcome);
        }
        finally
        {
            state.ExitWithoutWaiting(slot);
        }
    }

    /// <summary>Reads a value into memory if that needs no waiting for the disk; otherwise as the other one.</summary>
    /// <param name="key">The key.</param>
    /// <param name="destination">Gets the value if it fits.</param>
    /// <param name="valueLengthBytes">Length of the value, also where it does not fit; else 0.</param>
    /// <exception cref="CorruptDataException">What holds the value is damaged.</exception>
    public CachedGet TryGetCached(ReadOnlySpan<byte> key, Span<byte> destination, out int valueLengthBytes)
    {
        valueLengthBytes = 0;
        var slot = state.Enter();
        try
        {
            var outcome = Find(slot, key, out var found);
            if (outcome == CachedGet.Found)
            {
                var lengthBytes = found.LengthBytes;
                if (lengthBytes > destination.Length) outcome = CachedGet.TooShort;
                else if (!found.TryCopyCached(destination, state.Values)) outcome = CachedGet.WouldWait;
                if (outcome != CachedGet.WouldWait) valueLengthBytes = lengthBytes;
            }

            return Count(outcome);
        }
        finally
        {
            state.ExitWithoutWaiting(slot);
        }
    }

    CachedGet Find(int slot, ReadOnlySpan<byte> key, out FoundValue found)
    {
        CachedReads.Begin();
        try
        {
            var isPresent = state.CurrentOf(slot).TryGet(slot, key, state.VisibleSequence, state.Clock, out found);
            return CachedReads.WasRefused ? CachedGet.WouldWait : isPresent ? CachedGet.Found : CachedGet.Absent;
        }
        finally
        {
            CachedReads.End();
        }
    }

    // Who would have to wait comes again, with a get that counts.
    CachedGet Count(CachedGet outcome)
    {
        if (outcome != CachedGet.WouldWait) gets.Increment();
        return outcome;
    }
}
