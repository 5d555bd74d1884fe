using Ashlar.Storage;

namespace Ashlar.KeyValue;

/// <summary>What is wrong with an archive of the log, beside damage to a file (<see cref="CorruptDataException"/>).</summary>
public enum LogArchiveProblem
{
    /// <summary>A part is missing, or the archive begins later than the backup ends.</summary>
    Gap = 0,

    /// <summary>Parts are of another store, or of another history of this one: it was restored from a backup, or copied.</summary>
    Foreign,

    /// <summary>No backup is old enough, or the archive ends before the moment that was asked for.</summary>
    NotCovered,
}

/// <summary>An archive of the log does not fit the store or the backups, or does not reach where it should. Nothing was changed.</summary>
public sealed class LogArchiveException(string directory, LogArchiveProblem problem, string description)
    : AshlarException($"{directory}: {description}"), IClassifiedFailure
{
    /// <summary>Directory of the archive.</summary>
    public string Directory { get; } = directory;

    /// <summary>What kind of problem it is.</summary>
    public LogArchiveProblem Problem { get; } = problem;

    /// <inheritdoc />
    public FailureClass FailureClass => Problem switch
    {
        LogArchiveProblem.Foreign => FailureClass.Conflict,
        LogArchiveProblem.NotCovered => FailureClass.NotFound,
        _ => FailureClass.Damaged,
    };
}
