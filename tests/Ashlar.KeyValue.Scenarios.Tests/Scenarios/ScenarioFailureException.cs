namespace Ashlar.KeyValue.Scenarios.Tests;

/// <summary>What is wrong with a store.</summary>
enum FailureKind
{
    /// <summary>It is as it was, but before something that was promised.</summary>
    Lost = 0,

    /// <summary>It is as it never was: half a batch, a hole, something that was deleted.</summary>
    Mixed,

    /// <summary>It cannot be opened, or not be read.</summary>
    DoesNotOpen,

    /// <summary>It is as it should be, but something that it consists of is damaged or missing.</summary>
    Damaged,

    /// <summary>It opens, and then does not go on as it should.</summary>
    DoesNotGoOn,

    /// <summary>A backup that was reported is missing, damaged, or holds something else.</summary>
    Backup,

    /// <summary>The archive has a gap, is ahead of the store, or does not restore what it promised.</summary>
    Archive,

    /// <summary>A read gave something else than what is there.</summary>
    WrongAnswer,
}

/// <summary>A rule of <see cref="ScenarioCheck"/> does not hold.</summary>
sealed class ScenarioFailureException(FailureKind kind, string message, Exception? cause = null) : Exception($"{kind}: {message}", cause)
{
    public FailureKind Kind => kind;
}
