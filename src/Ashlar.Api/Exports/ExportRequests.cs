using System.Text.Json.Serialization;

namespace Ashlar.Api;

/// <summary>An export to be created.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record CreateExport
{
    /// <summary>Unique on the server: 1 to 64 of a-z, 0-9, '.', '_' and '-'.</summary>
    public required string Name { get; init; }

    /// <summary>Pool of the volume; "main" when absent.</summary>
    public string? Pool { get; init; }

    /// <summary>The volume.</summary>
    public required string Volume { get; init; }

    /// <summary>A snapshot of it that is exported in its place.</summary>
    public string? Snapshot { get; init; }

    /// <summary>"iscsi", "nbd", "nvme"; when absent all that the rest of it is possible with.</summary>
    public IReadOnlyList<string>? Protocols { get; init; }

    /// <summary>IQNs or NQNs that are let in; all when absent.</summary>
    public IReadOnlyList<string>? Initiators { get; init; }

    /// <summary>Addresses and networks (192.0.2.0/24) that are let in; all when absent.</summary>
    public IReadOnlyList<string>? Addresses { get; init; }

    /// <summary>Whether those who are let in may only read.</summary>
    public bool IsReadOnly { get; init; }

    /// <summary>What initiators of iSCSI have to prove.</summary>
    public ChapSecrets? Chap { get; init; }

    /// <summary>What hosts of NVMe have to prove.</summary>
    public DhChapSecrets? DhChap { get; init; }
}

/// <summary>What is to change of an export.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record ChangeExport
{
    /// <summary>The protocols from now on; absent for as they are.</summary>
    public IReadOnlyList<string>? Protocols { get; init; }

    /// <summary>Who is let in from now on, empty for all; absent for as it is.</summary>
    public IReadOnlyList<string>? Initiators { get; init; }

    /// <summary>The networks from now on, empty for all; absent for as they are.</summary>
    public IReadOnlyList<string>? Addresses { get; init; }

    /// <summary>Whether they may only read; absent for as it is.</summary>
    public bool? IsReadOnly { get; init; }

    /// <summary>What initiators have to prove from now on; absent for as it is.</summary>
    public ChapSecrets? Chap { get; init; }

    /// <summary>Whether initiators have nothing to prove any more.</summary>
    public bool WithoutChap { get; init; }

    /// <summary>What hosts have to prove from now on; absent for as it is.</summary>
    public DhChapSecrets? DhChap { get; init; }

    /// <summary>Whether hosts have nothing to prove any more.</summary>
    public bool WithoutDhChap { get; init; }
}

/// <summary>Users and secrets of CHAP. Secrets are never answered.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record ChapSecrets
{
    /// <summary>As whom the initiator comes.</summary>
    public required string User { get; init; }

    /// <summary>What it proves that by: 12 to 255 bytes of UTF-8.</summary>
    public required string Secret { get; init; }

    /// <summary>As whom the target proves who it is.</summary>
    public string? TargetUser { get; init; }

    /// <summary>What the target proves it by: not the secret of the initiator.</summary>
    public string? TargetSecret { get; init; }

    /// <summary>Names alone: what is written somewhere must hold no secrets.</summary>
    public override string ToString() => $"{nameof(ChapSecrets)} of {User}";
}

/// <summary>Secrets of DH-HMAC-CHAP, each written <c>DHHC-1:&lt;hash&gt;:&lt;base64&gt;:</c>. They are never answered.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record DhChapSecrets
{
    /// <summary>What hosts prove that they may come by.</summary>
    public required string Secret { get; init; }

    /// <summary>What the controller proves itself by: not the secret of the hosts.</summary>
    public string? ControllerSecret { get; init; }

    /// <summary>Nothing of them: what is written somewhere must hold no secrets.</summary>
    public override string ToString() => nameof(DhChapSecrets);
}
