using Ashlar.Storage;

namespace Ashlar.Files;

/// <summary>Why a storage node did not do what it was asked for.</summary>
public enum NodeErrorKind
{
    /// <summary>The disk failed, or is not there: whether the node has a block cannot be told.</summary>
    Unavailable = 0,

    /// <summary>A flush failed earlier: what was written may not be on the medium, and nothing more is written before a restart.</summary>
    Suspect,

    /// <summary>There is no space, not even in the time to come that others have reserved.</summary>
    Full,

    /// <summary>Too much is waiting already.</summary>
    Busy,

    /// <summary>The node has no such block. It has looked: this is not a disk that is missing.</summary>
    NotFound,

    /// <summary>The block is there and is not what was written.</summary>
    Damaged,

    /// <summary>The block is of a version that this program cannot read; it is left as it is.</summary>
    Unsupported,

    /// <summary>What was uploaded is not what its name says.</summary>
    ContentDiffers,

    /// <summary>There is no such upload: it has ended, was idle for too long, or the node was restarted.</summary>
    UnknownUpload,

    /// <summary>The request contradicts itself, or what went before.</summary>
    InvalidRequest,
}

/// <summary>A storage node did not do what it was asked for.</summary>
public sealed class StorageNodeException : AshlarException, IClassifiedFailure
{
    /// <summary>Creates the error.</summary>
    /// <param name="node">The node.</param>
    /// <param name="kind">Why.</param>
    /// <param name="problem">The facts.</param>
    /// <param name="cause">What the disk said.</param>
    public StorageNodeException(NodeId node, NodeErrorKind kind, string problem, Exception? cause = null)
        : base($"Storage node {node}: {problem}", cause) => (Node, Kind) = (node, kind);

    internal StorageNodeException(NodeId node, NodeErrorKind kind, string problem, Exception? cause, Task ended)
        : this(node, kind, problem, cause) => Ended = ended;

    /// <summary>The node.</summary>
    public NodeId Node { get; }

    /// <summary>Why.</summary>
    public NodeErrorKind Kind { get; }

    /// <summary>
    /// Ends when the node lets go of the memory that it was given; null where it has. Others may not use that before.
    /// </summary>
    public Task? Ended { get; }

    /// <summary>Whether the node has answered, so that what it said of the block holds: others count as "not known".</summary>
    public bool IsVerdict => Kind is NodeErrorKind.NotFound or NodeErrorKind.Damaged;

    /// <inheritdoc />
    public FailureClass FailureClass => Kind switch
    {
        NodeErrorKind.Full => FailureClass.NoSpace,
        NodeErrorKind.NotFound => FailureClass.NotFound,
        NodeErrorKind.Damaged => FailureClass.Damaged,
        NodeErrorKind.ContentDiffers or NodeErrorKind.InvalidRequest => FailureClass.InvalidRequest,
        NodeErrorKind.UnknownUpload => FailureClass.Conflict,
        _ => FailureClass.Failed,
    };
}
