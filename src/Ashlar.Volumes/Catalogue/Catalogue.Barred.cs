using System.Runtime.CompilerServices;
using Ashlar.KeyValue;
using Ashlar.Storage;

namespace Ashlar.Volumes;

// Parts of the device that are out of use.
sealed partial class Catalogue
{
    /// <summary>Remembers a range, or its state, durably.</summary>
    /// <exception cref="Blocks.DeviceFullException">There is no room to write it down.</exception>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    public async ValueTask RememberBarredAsync(BarredRange range)
    {
        await turn.EnterAsync();
        try
        {
            var batch = new WriteBatch();
            batch.Put(MapKeys.BarredFrom(range.First), range.ToBytes());
            await writer.WriteAsync(batch, Durability.Sync, mayUseReserve: range.State == BarredState.Gone);
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
            var batch = new WriteBatch();
            batch.Delete(MapKeys.BarredFrom(range.First));
            await writer.WriteAsync(batch, Durability.Sync, mayUseReserve: true);
        }
        finally
        {
            turn.Exit();
        }
    }
}
