namespace Ashlar.KeyValue.Endurance.Tests;

/// <summary>What is wrong with what a death left.</summary>
enum JudgeProblem
{
    None = 0,

    /// <summary>The end of what was promised is gone.</summary>
    Lost,

    /// <summary>What is there is no state of history: half a batch, an old value, one from nowhere.</summary>
    NoPrefix,

    /// <summary>A write is there that began after another had returned, which is not.</summary>
    Hole,

    /// <summary>More of the relaxed writes is gone than may be.</summary>
    TooMuchLost,

    /// <summary>A key that nobody wrote.</summary>
    Unwritten,

    /// <summary>The living did not find what it had written.</summary>
    WrongRead,

    /// <summary>A call of the living failed, with power and an open store.</summary>
    FailedCall,

    /// <summary>A durable write succeeded that began without power.</summary>
    AcknowledgedWithoutPower,

    /// <summary>The store says that it is damaged and does not open.</summary>
    DoesNotOpen,

    /// <summary>Verification finds damage.</summary>
    Damaged,

    /// <summary>What was read or written after recovery is gone at the next opening.</summary>
    Unstable,

    /// <summary>A backup is missing, damaged, or not what it should be.</summary>
    Backup,
}

/// <summary>What is found cannot come from what was asked for.</summary>
sealed class JudgeException(JudgeProblem problem, string message) : Exception(message)
{
    public JudgeProblem Problem => problem;
}
