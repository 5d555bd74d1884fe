using Ashlar.Storage;

namespace Ashlar.Files;

/// <summary>What is wrong with a directory that is to be that of a storage node.</summary>
public enum NodeDirectoryProblem
{
    /// <summary>It is not there, or has no mark of a node: the disk is not mounted, say. It is not an empty node.</summary>
    Missing = 0,

    /// <summary>It is the directory of another node.</summary>
    OtherNode,

    /// <summary>It is one already.</summary>
    AlreadyThere,

    /// <summary>Something else is in it.</summary>
    NotEmpty,

    /// <summary>Its parts lie on several file systems, or do not belong together.</summary>
    Mixed,
}

/// <summary>A directory cannot be that of the storage node that was asked for.</summary>
public sealed class NodeDirectoryException : AshlarException, IClassifiedFailure
{
    /// <summary>Creates the error.</summary>
    public NodeDirectoryException(string path, NodeDirectoryProblem problem, string message)
        : base($"{path}: {message}") => (Path, Problem) = (path, problem);

    /// <summary>The directory.</summary>
    public string Path { get; }

    /// <summary>What is wrong with it.</summary>
    public NodeDirectoryProblem Problem { get; }

    /// <inheritdoc />
    public FailureClass FailureClass => Problem == NodeDirectoryProblem.Missing ? FailureClass.NotFound : FailureClass.Conflict;
}
