namespace Ashlar.Scsi;

/// <summary>How a command ended, and what it answers.</summary>
/// <param name="Status">The status byte.</param>
/// <param name="Sense">The reason, where the status is <see cref="ScsiStatus.CheckCondition"/>.</param>
/// <param name="DataIn">
/// The answer of commands that describe something, already cut to the allocation length. Blocks read from the medium go
/// where the caller of <see cref="ScsiCommand.ReadAsync"/> says instead.
/// </param>
public readonly record struct ScsiResult(ScsiStatus Status, Sense Sense = default, ReadOnlyMemory<byte> DataIn = default)
{
    /// <summary>Done, nothing to say.</summary>
    public static ScsiResult Good => default;

    /// <summary>Done, with an answer.</summary>
    public static ScsiResult Answer(ReadOnlyMemory<byte> dataIn) => new(ScsiStatus.Good, default, dataIn);

    /// <summary>Refused or failed.</summary>
    public static ScsiResult Check(Sense sense) => new(ScsiStatus.CheckCondition, sense);

    internal static ValueTask<ScsiResult> AnswerAsync(ReadOnlyMemory<byte> dataIn) => ValueTask.FromResult(Answer(dataIn));

    internal static ValueTask<ScsiResult> CheckAsync(Sense sense) => ValueTask.FromResult(Check(sense));
}
