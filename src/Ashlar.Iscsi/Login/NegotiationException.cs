using Ashlar.Storage;

namespace Ashlar.Iscsi;

/// <summary>The initiator does not keep to the rules of the login or of text negotiation; the login fails.</summary>
sealed class NegotiationException(string problem, LoginStatus status = LoginStatus.InitiatorError) : AshlarException(problem)
{
    public LoginStatus Status { get; } = status;
}
