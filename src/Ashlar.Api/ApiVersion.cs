namespace Ashlar.Api;

/// <summary>The version that every object carries.</summary>
public static class ApiVersion
{
    /// <summary>Members may be added under this version; none is removed or changes its meaning.</summary>
    public const string Current = "ashlar/v1";
}
