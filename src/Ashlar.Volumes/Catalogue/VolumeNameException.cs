using Ashlar.Storage;

namespace Ashlar.Volumes;

/// <summary>What is wrong with a name.</summary>
public enum VolumeNameProblem
{
    /// <summary>It breaks the rule of names.</summary>
    Invalid = 0,

    /// <summary>Another volume has it, or is being created under it.</summary>
    Taken,

    /// <summary>No volume has it.</summary>
    Unknown,
}

/// <summary>A volume name is not valid, taken, or unknown.</summary>
public sealed class VolumeNameException(string name, VolumeNameProblem problem, string detail)
    : AshlarException($"volume '{name}': {detail}")
{
    /// <summary>The name.</summary>
    public string Name { get; } = name;

    /// <summary>What is wrong with it.</summary>
    public VolumeNameProblem Problem { get; } = problem;
}
