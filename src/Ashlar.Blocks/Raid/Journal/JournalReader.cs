using System.Runtime.CompilerServices;
using Ashlar.Storage;

namespace Ashlar.Blocks.Raid;

/// <summary>Finds what has to be replayed after a crash.</summary>
sealed class JournalReader(MemberSuperblock set, RaidLayout layout)
{
    readonly Dictionary<long, (JournalBatch Batch, byte[] Content)> batches = [];

    /// <summary>The last batch that any member has whole; 0 when none has one.</summary>
    public long LastSequence => batches.Count == 0 ? 0 : batches.Keys.Max();

    /// <summary>Reads all slots of a member. What is damaged was not finished, or another member has it.</summary>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public async ValueTask ReadAsync(RaidMember member)
    {
        var slotBytes = set.Areas.JournalSlotBytes;
        for (var slot = 0; slot < MemberAreas.JournalSlots; slot++)
        {
            var at = set.Areas.JournalSlotAt(slot);
            var header = new byte[JournalBatch.HeaderBytes];
            try
            {
                await member.ReadAreaAsync(at, header).ConfigureAwait(false);
                if (JournalBatch.ReadHeader(header, set.SetId, slotBytes) is not { } batch || batch.Epoch != set.JournalEpoch) continue;
                if (batch.Sequence % MemberAreas.JournalSlots != slot || batches.ContainsKey(batch.Sequence)) continue;
                var content = new byte[batch.TotalBytes];
                await member.ReadAreaAsync(at, content).ConfigureAwait(false);
                if (!JournalBatch.IsBodySound(header, content.AsSpan(JournalBatch.HeaderBytes))) continue;
                batches.Add(batch.Sequence, (batch, content));
            }
            catch (Exception e) when (e is BlockDeviceException or CorruptDataException)
            {
                // Another member has it as well, or the last batch says that it is not there.
            }
        }
    }

    /// <summary>
    /// The batches that are replayed, as they lie in their slots. Not all that were found: a member that the last one did not get to has an
    /// older one in the same slot.
    /// </summary>
    public IEnumerable<(long Sequence, ReadOnlyMemory<byte> Content)> Batches =>
        from batch in batches
        where batch.Key >= batches[LastSequence].Batch.Tail
        select (batch.Key, (ReadOnlyMemory<byte>)batch.Value.Content);

    /// <summary>What may not be in its place yet, in the order in which it was written.</summary>
    /// <exception cref="CorruptDataException">A batch that was flushed is on no member any more.</exception>
    public IEnumerable<JournaledStripe> Records(string name, long stripeCount)
    {
        if (batches.Count == 0) yield break;
        var last = batches[LastSequence].Batch;
        for (var sequence = last.Tail; sequence <= last.Sequence; sequence++)
        {
            if (!batches.TryGetValue(sequence, out var found))
            {
                throw new CorruptDataException(
                    name, set.Areas.JournalSlotAt(sequence), $"batch {sequence} of the journal is on no member, and {last.Sequence} is");
            }

            ReadOnlyMemory<byte> rest = found.Content.AsMemory(JournalBatch.HeaderBytes, found.Batch.RecordBytes);
            for (var i = 0; i < found.Batch.Count; i++)
            {
                if (!StripeRecord.TryRead(rest, layout, set.ChunkBytes, stripeCount, out var record))
                {
                    throw new CorruptDataException(
                        name, set.Areas.JournalSlotAt(sequence), $"record {i} of batch {sequence} of the journal is none of this set");
                }

                yield return record;
                rest = rest[record.RecordBytes..];
            }
        }
    }
}
