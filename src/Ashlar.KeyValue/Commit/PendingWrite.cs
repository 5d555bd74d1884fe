using Ashlar.KeyValue.Log;

namespace Ashlar.KeyValue.Commit;

/// <summary>What a member of a commit group asks the leader for.</summary>
enum CommitRequest
{
    /// <summary>Write a batch; without a batch, only make durable what is written.</summary>
    Write = 0,

    /// <summary>Start the next memtable, so that the current one becomes a table.</summary>
    RotateMemTable,

    /// <summary>Keep the range of keyspaces for those, if nothing else is there.</summary>
    ReserveKeyspaces,

    /// <summary>Seal the log: the store closes.</summary>
    Close,
}

/// <summary>
/// What one caller wants committed. A blocking caller has one of its own; see <see cref="AsyncWrite"/> for the others.
/// </summary>
class PendingWrite
{
    public CommitRequest Request { get; private set; }

    public WriteBatch? Batch { get; private set; }

    public Durability Durability { get; private set; }

    /// <summary>What has to hold for it to take effect; null if nothing has.</summary>
    public WriteCheck? Check { get; private set; }

    public bool NeedsSync => Durability == Durability.Sync;

    public int LengthBytes => Batch?.LengthBytes ?? 0;

    public int RangeDeletes => Batch?.RangeDeletes ?? 0;

    public SpaceClaim Claim => Batch?.Claim ?? SpaceClaim.All;

    /// <summary>Why it was refused while others of its group were not; read it once the group is done.</summary>
    public Exception? Refusal { get; set; }

    public void Prepare(CommitRequest request, WriteBatch? batch, Durability durability, WriteCheck? check = null)
    {
        Check = check;
        Request = request;
        Batch = batch;
        Durability = durability;
        Refusal = null;
    }

    /// <summary>Lets go of what is the caller's.</summary>
    public void Forget() => (Batch, Check) = (null, null);
}
