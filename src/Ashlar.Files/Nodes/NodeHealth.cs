namespace Ashlar.Files;

/// <summary>Whether a storage node can be used.</summary>
public enum NodeState
{
    /// <summary>For everything.</summary>
    Up = 0,

    /// <summary>For reading: a flush has failed.</summary>
    Suspect,

    /// <summary>For nothing: the disk is not there, or the machine does not answer.</summary>
    Unavailable,
}

/// <summary>What a storage node says about itself.</summary>
/// <param name="State">Whether it can be used.</param>
/// <param name="Problem">Why it cannot, in words.</param>
/// <param name="FreeBytes">What blocks may still take, less what uploads that are under way have reserved.</param>
/// <param name="QueueLength">Requests that it has and has not answered.</param>
/// <param name="ReadLatency">What a read takes, as of late.</param>
/// <param name="WriteLatency">What taking a piece of a block takes.</param>
/// <param name="SyncLatency">What making a block durable takes.</param>
/// <param name="Errors">Calls on its disk that failed since it was opened.</param>
/// <param name="Device">Nodes of one machine that say the same share a file system, and its loss.</param>
public sealed record NodeHealth(
    NodeState State,
    string? Problem,
    long FreeBytes,
    int QueueLength,
    TimeSpan ReadLatency,
    TimeSpan WriteLatency,
    TimeSpan SyncLatency,
    long Errors,
    string Device);
