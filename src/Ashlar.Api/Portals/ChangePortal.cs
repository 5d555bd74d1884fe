using System.Text.Json.Serialization;

namespace Ashlar.Api;

/// <summary>What is to change of a portal.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record ChangePortal
{
    /// <summary>How volumes are to be reached, one of <see cref="PortalAccess"/>; until the server ends.</summary>
    public required string Access { get; init; }
}
