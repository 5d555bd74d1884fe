using System.Runtime.CompilerServices;
using Ashlar.KeyValue;
using Ashlar.Storage;

namespace Ashlar.Volumes;

// Parts of the device that are out of use. The pool's record says that there are some: a program that does not know of them would place
// data there.
sealed partial class Catalogue
{
    readonly HashSet<long> barred = [];

    /// <summary>Takes in one that was found at opening.</summary>
    public void TakeIn(BarredRange range) => barred.Add(range.First);

    /// <summary>Remembers a range, or its state, durably.</summary>
    /// <exception cref="Blocks.DeviceFullException">There is no room to write it down.</exception>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public async ValueTask RememberBarredAsync(BarredRange range)
    {
        await turn.EnterAsync();
        try
        {
            var next = poolRecord with { HasBarred = true };
            var batch = new WriteBatch();
            batch.Put(MapKeys.Pool, next.ToBytes());
            batch.Put(MapKeys.BarredFrom(range.First), range.ToBytes());
            await writer.WriteAsync(batch, Durability.Sync, mayUseReserve: range.State == BarredState.Gone);
            poolRecord = next;
            barred.Add(range.First);
        }
        finally
        {
            turn.Exit();
        }
    }

    /// <summary>Forgets a range, durably.</summary>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public async ValueTask ForgetBarredAsync(BarredRange range)
    {
        await turn.EnterAsync();
        try
        {
            var next = poolRecord with { HasBarred = barred.Count > 1 || !barred.Contains(range.First) };
            var batch = new WriteBatch();
            batch.Put(MapKeys.Pool, next.ToBytes());
            batch.Delete(MapKeys.BarredFrom(range.First));
            await writer.WriteAsync(batch, Durability.Sync, mayUseReserve: true);
            poolRecord = next;
            barred.Remove(range.First);
        }
        finally
        {
            turn.Exit();
        }
    }
}
