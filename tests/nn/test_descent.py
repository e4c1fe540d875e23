"""Steps of Adam without the bookkeeping of each."""

import copy

import pytest
import torch

from sklearn_ser.nn._descent import AdamSteps


class TwoHeads(torch.nn.Module):
    """A network of which one layer gets no gradient unless it is asked for."""

    def __init__(self):
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        self.body, self.head = torch.nn.Linear(5, 3), torch.nn.Linear(3, 2)
        for parameter in self.parameters():
            parameter.data = torch.randn(parameter.shape, generator=generator)

    def loss(self, x, *, with_head):
        z = self.body(x)
        return z.square().mean() + (self.head(z).square().mean() if with_head else 0)


def trained(uses_head, step_of, **parameters):
    """Train by steps that `step_of` makes of the optimiser; return weights and state."""
    module = TwoHeads()
    optimizer = torch.optim.Adam(module.parameters(), fused=True, **parameters)
    steps = step_of(optimizer)
    generator = torch.Generator().manual_seed(1)
    for with_head in uses_head:
        steps.zero_grad()
        module.loss(torch.randn(7, 5, generator=generator), with_head=with_head).backward()
        steps.step()
    return module.state_dict(), copy.deepcopy(optimizer.state_dict())


@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
@pytest.mark.parametrize(
    "uses_head",
    [[True] * 6, [False] * 4, [False, True, True, False, True], [True, True, False, True]],
    ids=["always", "never", "later", "with a gap"],
)
def test_steps_are_those_of_the_optimiser_to_the_last_bit(uses_head, weight_decay):
    parameters = {"lr": 0.01, "weight_decay": weight_decay}
    weights, state = trained(uses_head, AdamSteps, **parameters)
    expected, expected_state = trained(uses_head, lambda optimizer: optimizer, **parameters)
    assert all(torch.equal(weights[name], expected[name]) for name in expected)
    assert state["state"].keys() == expected_state["state"].keys()
    for parameter, values in expected_state["state"].items():
        for name, value in values.items():
            assert torch.equal(state["state"][parameter][name], value)


def test_a_step_size_that_changes_counts_from_the_next_step():
    module = TwoHeads()
    optimizer = torch.optim.Adam(module.parameters(), lr=0.01, fused=True)
    steps = AdamSteps(optimizer)
    for _ in range(2):
        steps.zero_grad()
        module.loss(torch.ones(1, 5), with_head=True).backward()
        steps.step()
    before = module.body.bias.detach().clone()
    optimizer.param_groups[0]["lr"] = 0.0
    steps.step()
    assert torch.equal(module.body.bias, before)
